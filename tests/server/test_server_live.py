"""The live socket."""

from __future__ import annotations

import json
from typing import Any

import pytest
from served import SLEEP, SPEAK, Served
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection


@pytest.fixture(scope="module", autouse=True)
def _applied(served: Served) -> None:
    assert served.apply(SPEAK, SLEEP).status_code == 200


def frames(socket: ClientConnection) -> list[dict[str, Any]]:
    return [json.loads(text) for text in socket]


def test_a_run_is_told_from_start_to_end(served: Served) -> None:
    run = served.start("speak", word="live")
    with served.watch(f"run={run}&logs=1") as socket:
        told = frames(socket)
        assert socket.close_code == 1000
    facts = [frame for frame in told if frame["type"] == "fact"]
    assert {"run.started", "step.started", "step.succeeded", "run.finished"} <= {
        fact["kind"] for fact in facts
    }
    assert [fact["seq"] for fact in facts] == sorted(fact["seq"] for fact in facts)
    assert [frame["text"] for frame in told if frame["type"] == "log"] == ["live"]
    assert told[-1] == {"type": "end", "run": run, "status": "success"}


def test_a_watcher_goes_on_after_the_last_frame_it_saw(served: Served) -> None:
    run = served.start("speak")
    with served.watch(f"run={run}&after=0") as socket:
        whole = frames(socket)
    with served.watch(f"run={run}&after={whole[1]['seq']}") as socket:
        assert frames(socket) == whole[2:]


def test_all_runs_are_told_from_now_on(served: Served) -> None:
    with served.watch("") as socket:
        run = served.start("speak")
        while (frame := json.loads(socket.recv(timeout=10)))["type"] != "end":
            assert frame["run"] == run


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("run=none", 404, "'none'"),
        ("run=" + "x" * 3000, 404, "there is no run"),
        ("run=a%00b", 404, "there is no run"),
        ("after=x", 400, "'after'"),
        ("after=-1", 400, "'after'"),
        ("logs=perhaps", 400, "'logs'"),
        ("rnu=1", 400, "'rnu' is not known"),
    ],
)
def test_a_refusal_comes_before_the_socket(
    served: Served, query: str, status: int, words: str
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        served.watch(query)
    answer = refused.value.response
    assert answer.status_code == status
    problem = json.loads(answer.body or b"")
    assert words in problem["detail"]


def test_what_a_watcher_says_is_passed_over(served: Served) -> None:
    run = served.start("sleep")
    with served.watch(f"run={run}") as socket:
        socket.send("hello")
        socket.send(b"\x00" * 100_000)
        served.http.post(f"/api/v2/runs/{run}/cancel")
        assert frames(socket)[-1]["status"] == "cancelled"


def test_a_watcher_that_falls_behind_is_cut_off_and_told_where_to_go_on(served: Served) -> None:
    run = served.start("sleep")
    with served.watch(f"run={run}&logs=1&after=0") as socket:
        socket.recv(timeout=10)

        async def flood() -> None:
            entry = {"n": 0, "at": "", "step": "s", "attempt": 1, "stream": "log", "text": "x"}
            for number in range(20_000):
                served.daemon.live.log_line(run, {**entry, "n": number + 1})

        served.do(flood)
        with pytest.raises(ConnectionClosed):
            while True:
                socket.recv(timeout=20)
        assert socket.close_code == 1013
        assert "after=" in (socket.close_reason or "")
    served.http.post(f"/api/v2/runs/{run}/cancel")


def test_no_more_sockets_than_can_be_served(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nexaflow_cli.server.routers.live.MAX_SOCKETS", 1)
    with served.watch(""), pytest.raises(InvalidStatus) as refused:
        served.watch("")
    assert refused.value.response.status_code == 503


def test_a_watcher_that_leaves_is_forgotten(served: Served) -> None:
    run = served.start("sleep")
    for _ in range(20):
        with served.watch(f"run={run}"):
            pass
    with served.watch(f"run={run}") as socket:
        served.http.post(f"/api/v2/runs/{run}/cancel")
        frames(socket)

    async def known() -> bool:
        return served.daemon.live._hub.watched(run)

    assert served.do(known) is False


def test_an_error_inside_closes_the_socket_with_its_number(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any) -> Any:
        raise ValueError("the secret inside")
        yield

    monkeypatch.setattr(served.daemon.live, "follow", broken)
    with served.watch("") as socket:
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=10)
        assert socket.close_code == 1011
        mark = (socket.close_reason or "").removeprefix("error ")
    assert mark
    assert mark in caplog.text
