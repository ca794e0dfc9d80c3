"""`set`, `log`, `fail`, `wait`: no process, no file, no network."""

from __future__ import annotations

from typing import Any

import pytest
from actions_bench import NOW, SECRET, Bench

from nexaflow_cli.actions.base import ActionError, Suspend
from nexaflow_cli.actions.registry import BUILTIN

START = NOW.timestamp()  # 2026-05-01T08:00:00Z


def failed(bench: Bench, action: str, params: dict[str, Any]) -> ActionError:
    with pytest.raises(ActionError) as caught:
        bench.run(action, params)
    return caught.value


def test_set_gives_its_values(bench: Bench) -> None:
    values = {"a": 1, "b": [True, None], "c": {"d": "e"}}
    assert bench.run("set", {"values": values}) == values
    assert BUILTIN["set"].pure


def test_set_wants_a_mapping(bench: Bench) -> None:
    error = failed(bench, "set", {"values": [1]})
    assert error.message == "`values` must be a mapping, but it is a list"
    assert (error.type, error.retryable) == ("invalid", False)


@pytest.mark.parametrize(
    ("params", "line"),
    [
        ({"message": "hello"}, ("info", "hello")),
        ({"message": "oh", "level": "error"}, ("error", "oh")),
        ({"message": {"a": [1, None]}}, ("info", '{"a":[1,null]}')),
        ({"message": 5}, ("info", "5")),
        ({"message": None}, ("info", "null")),
    ],
)
def test_log_says_a_line(bench: Bench, params: dict[str, Any], line: tuple[str, str]) -> None:
    assert bench.run("log", params) is None
    assert bench.said.lines == [line]


def test_log_knows_its_levels(bench: Bench) -> None:
    error = failed(bench, "log", {"message": "x", "level": "loud"})
    assert error.message == ("`level` must be one of debug, info, warning, error, but it is 'loud'")


@pytest.mark.parametrize(
    ("params", "type", "retryable"),
    [
        ({"message": "no"}, "failed", False),
        ({"message": "no", "type": "quota", "retryable": True}, "quota", True),
    ],
)
def test_fail_fails(bench: Bench, params: dict[str, Any], type: str, retryable: bool) -> None:
    error = failed(bench, "fail", params)
    assert (error.message, error.type, error.retryable) == ("no", type, retryable)


def test_fail_keeps_secrets(bench: Bench) -> None:
    assert failed(bench, "fail", {"message": f"bad {SECRET}"}).message == "bad ***"


@pytest.mark.parametrize(
    ("params", "until", "at"),
    [
        ({"duration": "10m"}, START + 600, "2026-05-01T08:10:00.000Z"),
        ({"duration": 1.5}, START + 1.5, "2026-05-01T08:00:01.500Z"),
        ({"duration": 0}, START, "2026-05-01T08:00:00.000Z"),
        ({"until": "2026-05-01T10:00:00+02:00"}, START, "2026-05-01T08:00:00.000Z"),
        ({"until": "2026-05-02T08:00:00Z"}, START + 86400, "2026-05-02T08:00:00.000Z"),
        ({"until": START + 7}, START + 7, "2026-05-01T08:00:07.000Z"),
        ({"until": str(START + 7)}, START + 7, "2026-05-01T08:00:07.000Z"),
        ({"until": 0}, 0, "1970-01-01T00:00:00.000Z"),
    ],
)
def test_wait_suspends_until_its_time(
    bench: Bench, params: dict[str, Any], until: float, at: str
) -> None:
    assert bench.run("wait", params) == Suspend(until, {"until": at})


@pytest.mark.parametrize(
    ("params", "cause"),
    [
        ({}, "`wait` takes `duration` or `until`, one of the two"),
        ({"duration": 1, "until": 1}, "`wait` takes `duration` or `until`, one of the two"),
        ({"duration": "soon"}, "`duration`: "),
        ({"duration": -1}, "`duration`: a duration cannot be negative"),
        ({"duration": True}, "`duration` must be a duration such as 90s or 1h30m"),
        ({"until": "tomorrow"}, "`until` is no ISO 8601 time: 'tomorrow'"),
        (
            {"until": "2026-05-01T08:00:00"},
            "`until` needs an offset, as in 2026-05-01T08:00:00Z: '2026-05-01T08:00:00' has none",
        ),
        ({"until": None}, "`until` must be a time such as"),
        ({"until": "nan"}, "the wait ends outside the years 1970 to 9999"),
        ({"until": 1e300}, "the wait ends outside the years 1970 to 9999"),
        ({"until": -1}, "the wait ends outside the years 1970 to 9999"),
    ],
)
def test_wait_refuses_what_is_no_time(bench: Bench, params: dict[str, Any], cause: str) -> None:
    error = failed(bench, "wait", params)
    assert error.message.startswith(cause)
    assert (error.type, error.retryable) == ("invalid", False)
