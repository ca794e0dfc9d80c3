"""The API against its own description."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from served import ARRIVE, BREAK, SPEAK, Served

from nexaflow_cli.config import DaemonSettings
from nexaflow_cli.runtime.daemon import Daemon
from nexaflow_cli.server.app import create_app
from nexaflow_cli.server.openapi import describe
from nexaflow_cli.server.permissions import NEEDS, SOCKET

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
    negative_data_rejection,
]


# An application describes itself before its daemon has started.
DOCUMENT = describe(create_app(Daemon(DaemonSettings(Path("nowhere")))))
api = schemathesis.openapi.from_dict(DOCUMENT)


@pytest.fixture(scope="module")
def document(served: Served) -> dict[str, Any]:
    found: dict[str, Any] = served.http.get("/openapi.json").json()
    return found


@pytest.fixture
def filled(served: Served) -> None:
    """Something of everything, whatever was deleted before."""
    assert served.apply(SPEAK, BREAK, ARRIVE).status_code == 200
    served.finished(served.start("speak"))
    served.finished(served.start("break"))
    served.http.put("/api/v2/files/in/a.txt", content=b"a")


@api.parametrize()
@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_described(served: Served, filled: None, case: Any) -> None:
    key = {"Authorization": f"Bearer {served.daemon.local_key}"}
    answer = case.call(base_url=served.url, headers=key)
    case.validate_response(answer, checks=CHECKS)


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/health", "Health"),
        ("/api/v2/workflows", "WorkflowPage"),
        ("/api/v2/workflows/speak", "Workflow"),
        ("/api/v2/workflows/speak/history", "HistoryPage"),
        ("/api/v2/workflows/speak/stats", "Stats"),
        ("/api/v2/workflows/break/errors", "ErrorPage"),
        ("/api/v2/runs", "RunPage"),
        ("/api/v2/runs/{run}", "RunDetail"),
        ("/api/v2/runs/{run}/logs", "LogPage"),
        ("/api/v2/files", "FilePage"),
        ("/api/v2/events", "EventPage"),
        ("/nope", "Problem"),
    ],
)
def test_what_is_there_is_as_described(
    served: Served, filled: None, document: dict[str, Any], path: str, shape: str
) -> None:
    run = served.http.get("/api/v2/runs?workflow=speak").json()["items"][0]["id"]
    answer = served.http.get(path.format(run=run)).json()
    schema = {"$ref": f"#/components/schemas/{shape}", "components": document["components"]}
    Draft202012Validator(schema).validate(answer)
    if "items" in answer:
        assert answer["items"], "nothing to compare"


def test_every_route_is_described_in_full(document: dict[str, Any]) -> None:
    described = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
    }
    expected = {
        (method, path.replace(":path", ""))
        for method, path in NEEDS
        if method != SOCKET and not path.startswith("/api/v1") and path != "/openapi.json"
    }
    assert described == expected
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["summary"]
            assert operation["tags"]
            assert operation["description"]
            assert "4XX" in operation["responses"]
            for parameter in operation.get("parameters", ()):
                assert parameter["description"], (operation["summary"], parameter["name"])


def test_only_health_is_described_as_open(document: dict[str, Any]) -> None:
    assert document["security"] == [{"key": []}]
    open_to_all = [
        path
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if operation.get("security") == []
    ]
    assert open_to_all == ["/health"]
