"""The daemon's own log."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator

import pytest

from nexaflow_cli.errors import UsageError
from nexaflow_cli.server.lines import LineFormatter, log_to_stderr


def record(message: str, *args: object, name: str = "nexaflow_cli.runtime.daemon") -> str:
    entry = logging.LogRecord(name, logging.WARNING, "", 0, message, args, None)
    return LineFormatter().format(entry)


def test_an_entry_is_a_line_with_time_level_and_place() -> None:
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING runtime\.daemon: 3 left",
        record("%d left", 3),
    )


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\x1b[31mb", "a\x00b", "a\u2028b", "a\x85b"])
def test_what_is_told_of_cannot_forge_a_line(text: str) -> None:
    line = record("path %s", text)
    assert len(line.splitlines()) == 1
    assert line.isprintable()


def test_a_traceback_follows_indented() -> None:
    try:
        raise ValueError("inner\nlines")
    except ValueError:
        entry = logging.LogRecord("x", logging.ERROR, "", 0, "broken", (), sys.exc_info())
    first, *rest = LineFormatter().format(entry).splitlines()
    assert first.endswith("x: broken")
    assert rest
    assert all(line.startswith("    ") for line in rest)


def test_a_level_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="'loud' is not a log level"):
        log_to_stderr("loud")


@pytest.fixture
def loggers() -> Iterator[None]:
    root = logging.getLogger()
    others = [logging.getLogger(name) for name in ("nexaflow_cli", "uvicorn", "uvicorn.error")]
    before = root.handlers[:], [each.level for each in (root, *others)]
    yield
    root.handlers[:] = before[0]
    for each, level in zip((root, *others), before[1], strict=True):
        each.setLevel(level)


def test_the_words_of_a_connection_are_not_told_as_keys_are_among_them(loggers: None) -> None:
    log_to_stderr("debug")
    # What the library of sockets writes each header to, `Authorization` too.
    assert not logging.getLogger("uvicorn.error").isEnabledFor(logging.DEBUG)
    assert logging.getLogger("nexaflow_cli.server").isEnabledFor(logging.DEBUG)
