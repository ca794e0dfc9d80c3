"""Workflows, runs and events over HTTP."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from served import ARRIVE, BREAK, SLEEP, SPEAK, Served

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@pytest.fixture(scope="module", autouse=True)
def _applied(served: Served) -> None:
    assert served.apply(SPEAK, SLEEP, BREAK, ARRIVE).status_code == 200


def test_health_proves_a_write(served: Served) -> None:
    answer = served.stranger.get("/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.json()["checks"]["database"] == "ok"


def test_health_that_cannot_write_says_so_and_is_no_success(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(work: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(served.daemon._store.writer, "run", full)
    answer = served.stranger.get("/health")
    assert answer.status_code == 503
    assert answer.json()["status"] == "degraded"


def test_apply_tells_what_changed(served: Served) -> None:
    text = SPEAK.replace("speak", "speak-twice")
    assert served.apply(text).json()["changes"] == [
        {"name": "speak-twice", "version": 1, "change": "created"}
    ]
    assert served.apply(text).json()["changes"][0]["change"] == "unchanged"
    gone = served.http.delete("/api/v2/workflows/speak-twice").json()
    assert gone == {"name": "speak-twice", "version": 1, "change": "deleted"}


def test_a_wrong_definition_changes_nothing_and_is_shown_where(served: Served) -> None:
    answer = served.apply("name: fine\nsteps: [{id: a, run: ls}]", "name: bad\nstep: []\n")
    assert answer.status_code == 422
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["code"] == "invalid"
    assert {(d["file"], d["line"]) for d in problem["diagnostics"]} >= {("1.yaml", 2)}
    assert served.http.get("/api/v2/workflows/fine").status_code == 404


def test_a_dry_run_changes_nothing(served: Served) -> None:
    body = {
        "documents": [{"filename": "a", "source": SPEAK.replace("speak", "not-yet")}],
        "dry_run": True,
    }
    answer = served.http.post("/api/v2/workflows/apply", json=body).json()
    assert answer["changes"][0]["change"] == "created"
    assert served.http.get("/api/v2/workflows/not-yet").status_code == 404


def test_a_run_from_start_to_history(served: Served) -> None:
    answer = served.http.post("/api/v2/runs", json={"workflow": "speak", "inputs": {"word": "hi"}})
    assert answer.status_code == 201
    run = answer.json()
    assert answer.headers["location"] == f"/api/v2/runs/{run['id']}"
    done = served.finished(run["id"])
    assert done["status"] == "success"
    assert done["trigger"]["type"] == "manual"
    assert done["trigger"]["by"]
    assert [step["key"] for step in done["steps"]] == ["say"]
    logs = served.http.get(f"/api/v2/runs/{run['id']}/logs").json()
    assert [line["text"] for line in logs["items"]] == ["hi"]
    assert logs["done"] is True
    row = served.http.get("/api/v2/workflows/speak/history", params={"limit": 1}).json()["items"][0]
    assert (row["id"], row["duration"]) == (run["id"], done["duration_ms"])
    stats = served.http.get("/api/v2/workflows/speak/stats").json()
    assert stats["success"] >= 1


def test_the_same_idempotency_key_answers_with_the_first_run(served: Served) -> None:
    body = {"workflow": "speak", "idempotency_key": "once"}
    first, second = (served.http.post("/api/v2/runs", json=body).json() for _ in range(2))
    assert first["id"] == second["id"]


def test_what_failed_is_told_by_the_workflow(served: Served) -> None:
    run = served.finished(served.start("break"))
    assert run["status"] == "failed"
    row = served.http.get("/api/v2/workflows/break/errors").json()["items"][0]
    assert (row["run"], row["step"]) == (run["id"], "stop")
    assert "no way on" in row["error"]


def test_a_run_is_paused_resumed_and_cancelled(served: Served) -> None:
    run = served.start("sleep")
    address = f"/api/v2/runs/{run}"
    assert served.http.post(f"{address}/pause").json()["status"] == "paused"
    assert served.http.post(f"{address}/resume", json={}).json()["status"] != "paused"
    asked = served.http.post(f"{address}/cancel", json={"reason": "enough"})
    assert asked.status_code == 200
    assert served.finished(run)["status"] == "cancelled"
    again = served.http.post(f"{address}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


def test_a_workflow_is_paused_and_resumed(served: Served) -> None:
    assert served.http.post("/api/v2/workflows/arrive/pause").json()["status"] == "paused"
    assert served.http.post("/api/v2/workflows/arrive/resume").json()["status"] == "active"


def test_a_file_that_arrives_is_an_event_with_its_run(served: Served) -> None:
    served.http.put("/api/v2/files/in/letter.txt", content=b"dear all")
    found = served.http.get("/api/v2/events", params={"path": "/in/letter.txt"}).json()["items"]
    assert [event["type"] for event in found] == ["file.created"]
    run = served.finished(found[0]["runs"][0])
    assert run["workflow"] == "arrive"


def test_lists_come_by_pages_without_gap_or_repeat(served: Served) -> None:
    for _ in range(5):
        served.finished(served.start("speak"))
    whole = served.http.get("/api/v2/runs", params={"limit": 1000}).json()
    assert whole["next"] is None
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": 2} if cursor is None else {"limit": 2, "cursor": cursor}
        page = served.http.get("/api/v2/runs", params=query).json()
        assert len(page["items"]) <= 2
        seen += [run["id"] for run in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [run["id"] for run in whole["items"]]


def test_workflows_come_by_pages(served: Served) -> None:
    page = served.http.get("/api/v2/workflows", params={"limit": 1}).json()
    following = served.http.get("/api/v2/workflows", params={"cursor": page["next"]}).json()
    names = [item["name"] for item in page["items"] + following["items"]]
    assert names == sorted(names)
    assert len(names) == len(set(names)) == 4


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("GET", "/api/v2/runs?limit=0", None, 400, "'limit'"),
        ("GET", "/api/v2/runs?limit=1001", None, 400, "1000"),
        ("GET", "/api/v2/runs?limit=many", None, 400, "'many'"),
        ("GET", "/api/v2/runs?cursor=abc", None, 400, "'abc' is not a cursor"),
        ("GET", "/api/v2/runs?status=odd", None, 400, "'odd' is not a status"),
        ("GET", "/api/v2/runs?stauts=failed", None, 400, "'stauts' is not known"),
        ("GET", "/api/v2/runs/none", None, 404, "'none'"),
        ("GET", "/api/v2/runs/none/logs?after=-1", None, 400, "'after'"),
        ("GET", "/api/v2/workflows/none", None, 404, "'none'"),
        ("GET", "/api/v2/workflows/none/history", None, 404, "'none'"),
        ("POST", "/api/v2/workflows/none/pause", b"", 404, "'none'"),
        ("POST", "/api/v2/runs", b"", 422, "'workflow' of the body is missing"),
        ("POST", "/api/v2/runs", b"{", 400, "not JSON"),
        ("POST", "/api/v2/runs", b"[]", 422, "the body"),
        ("POST", "/api/v2/runs", b'{"workflow": 7}', 422, "'workflow'"),
        ("POST", "/api/v2/runs", b'{"workflow": "none"}', 404, "'none'"),
        ("POST", "/api/v2/runs", b'{"workflow": "speak", "input": {}}', 422, "'input'"),
        ("POST", "/api/v2/runs", b'{"workflow": "speak", "inputs": {"w": 1}}', 422, "w"),
        ("POST", "/api/v2/workflows/apply", b'{"documents": [{"source": ""}]}', 422,
         "'documents.0.filename' of the body is missing"),
        ("PATCH", "/api/v2/runs", b"", 405, "PATCH"),
        ("GET", "/api/v2/live", None, 426, "WebSocket"),
        ("GET", "/api/v1/workflows/x/y", None, 410, "API v1 has ended"),
        ("GET", "/api/v2", None, 404, "nothing at /api/v2"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_thing_and_the_cause(
    served: Served, method: str, path: str, body: bytes | None, status: int, words: str
) -> None:
    answer = served.http.request(method, path, content=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail", "code"} <= problem.keys()
    assert problem["status"] == status
    assert words in problem["detail"]


def test_a_method_that_a_path_does_not_take_is_told_the_ones_it_does(served: Served) -> None:
    assert served.http.patch("/api/v2/runs").headers["allow"] == "GET, POST"
    assert served.http.put("/api/v2/workflows/x").headers["allow"] == "DELETE, GET"


def test_what_nobody_expected_is_logged_with_an_id_and_not_shown(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any) -> None:
        raise ValueError("the secret inside")

    monkeypatch.setattr(served.daemon.workflows, "get", broken)
    with caplog.at_level(logging.ERROR, "nexaflow_cli.server"):
        answer = served.http.get("/api/v2/workflows/speak")
    assert answer.status_code == 500
    problem = answer.json()
    assert "secret inside" not in answer.text
    assert problem["id"] in problem["detail"]
    assert problem["id"] in caplog.text
    assert "secret inside" in caplog.text


def test_metrics_are_prometheus_text(served: Served) -> None:
    answer = served.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    names = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    for line in lines:
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            float(value)
            assert name.partition("{")[0] in names
    assert 'nexaflow_runs{workflow="speak",status="success"}' in answer.text
    assert served.daemon.local_key not in answer.text
