"""The gate, walked around by the application's own routes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from served import Served
from starlette.routing import Route, WebSocketRoute
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from nexaflow_cli.server import permissions
from nexaflow_cli.server.auth import Identity
from nexaflow_cli.server.gate import Gate
from nexaflow_cli.server.permissions import NEEDS, PUBLIC, SOCKET
from nexaflow_cli.server.roles import GRANTS, Role

WRONG = {
    "none": {},
    "empty": {"Authorization": ""},
    "wrong": {"Authorization": "Bearer nxk_" + "0" * 43},
    "basic": {"Authorization": "Basic bnhrOmFiYw=="},
    "in the query": {},
}


def _address(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "x", path)


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize(("method", "path"), sorted(k for k in NEEDS if NEEDS[k] is not PUBLIC))
def test_nothing_is_reached_without_a_key(
    served: Served, method: str, path: str, kind: str
) -> None:
    address = _address(path) + (
        f"?api_key={served.daemon.local_key}" if kind == "in the query" else ""
    )
    if method == SOCKET:
        with pytest.raises(InvalidStatus) as refused:
            connect(
                f"ws://127.0.0.1:{served.port}{address}",
                additional_headers=WRONG[kind],
                proxy=None,
            )
        answer = refused.value.response
        status, headers = answer.status_code, answer.headers
    else:
        got = served.stranger.request(method, address, headers=WRONG[kind])
        status, headers = got.status_code, got.headers
        if method != "HEAD":
            assert got.json()["code"] == "unauthenticated"
    assert status == 401
    assert headers["www-authenticate"].startswith("Bearer")
    assert headers["content-type"] == "application/problem+json"


def test_the_table_names_every_route_and_socket_there_is(served: Served) -> None:
    found = set()
    for route in served.app.routes:
        if isinstance(route, WebSocketRoute):
            found.add((SOCKET, route.path))
        else:
            assert isinstance(route, Route)
            found |= {(method, route.path) for method in route.methods or ()}
    assert found == NEEDS.keys()


def test_a_route_without_a_permission_does_not_start() -> None:
    def nothing() -> None: ...

    with pytest.raises(TypeError, match="/secret"):
        permissions.check([Route("/secret", nothing)])


@pytest.mark.parametrize("path", ["/", "/nope", "/api/v2/nope", "/docs", "/admin", "//health"])
def test_even_what_is_not_there_is_told_only_with_a_key(served: Served, path: str) -> None:
    assert served.stranger.get(path).status_code == 401
    assert served.http.get(path).status_code == 404


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "DELETE"])
def test_health_is_open_to_get_alone(served: Served, method: str) -> None:
    assert served.stranger.get("/health").json()["status"] == "ok"
    assert served.stranger.request(method, "/health").status_code == 401


def test_old_clients_without_a_key_learn_where_to_read(served: Served) -> None:
    assert "migration" in served.stranger.get("/api/v1/workflows").json()["hint"]


@pytest.mark.parametrize("role", Role)
def test_a_key_does_what_its_role_allows_and_no_more(served: Served, role: Role) -> None:
    _gate(served)._identify = lambda token: Identity("eve", role) if token == "nxk_eve" else None
    for (method, path), need in NEEDS.items():
        if need is PUBLIC or method == SOCKET:
            continue
        # Bodies that no route takes: those let through fail after the gate.
        got = served.stranger.request(
            method,
            _address(path),
            headers={"Authorization": "Bearer nxk_eve", "Content-Type": "application/json"},
            content=None if method in {"GET", "HEAD"} else b"[",
        )
        assert (got.status_code == 403) is (need not in GRANTS[role]), (method, path)
        if got.status_code == 403 and method != "HEAD":
            assert got.json()["code"] == "not-allowed"
            assert f"role {role}" in got.json()["detail"]


@pytest.fixture(autouse=True)
def _keyring(served: Served) -> Iterator[None]:
    served.http.get("/health")  # the layers are put together at the first request
    gate, identify = _gate(served), _gate(served)._identify
    yield
    gate._identify = identify


def _gate(served: Served) -> Gate:
    layer = served.app.middleware_stack
    while not isinstance(layer, Gate):
        layer = getattr(layer, "app", None) or layer._app
    return layer


def test_a_name_that_was_made_to_lead_here_is_refused(served: Served) -> None:
    for path in ("/health", "/api/v2/runs"):
        got = served.http.get(path, headers={"Host": "evil.example:8080"})
        assert got.status_code == 403
        assert "Host" in got.json()["detail"]


def test_a_page_of_another_origin_opens_no_socket(served: Served) -> None:
    with pytest.raises(InvalidStatus) as refused:
        served.watch("", Origin="http://evil.example")
    assert refused.value.response.status_code == 403
    with served.watch("", Origin=served.url):
        pass


def test_a_mismatch_of_versions_is_told_on_success_and_on_refusal(served: Served) -> None:
    old = {"X-Nexaflow-Client": "nexaflow-cli/1.2.0"}
    for client in (served.http, served.stranger):
        answer = client.get("/api/v2/runs", headers=old)
        assert "1.2.0" in answer.headers["X-Nexaflow-Notice"]
        assert answer.headers["X-Nexaflow-Version"]
    assert "X-Nexaflow-Notice" not in served.http.get("/api/v2/runs").headers
