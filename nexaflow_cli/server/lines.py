"""The daemon's own log: a line an entry, on standard error."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

from nexaflow_cli.errors import UsageError

LEVELS = ("debug", "info", "warning", "error")
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_CONTROLS |= {0x0A: "\\n", 0x0D: "\\r", 0x2028: "\\u2028", 0x2029: "\\u2029"}


class LineFormatter(logging.Formatter):
    """`TIME LEVEL NAME: MESSAGE`, and no way for what is told of to begin a line of its own.

    A traceback follows its line, indented.
    """

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        name = record.name.removeprefix("nexaflow_cli.")
        message = record.getMessage().translate(_CONTROLS)
        line = f"{stamp} {record.levelname:<7} {name}: {message}"
        if record.exc_info:
            trace = self.formatException(record.exc_info).splitlines()
            line += "".join(f"\n    {text.translate(_CONTROLS)}" for text in trace)
        return line


def log_to_stderr(level: str) -> None:
    """Set up logging for the life of the process.

    Raises:
        UsageError: there is no such level.
    """
    if level.lower() not in LEVELS:
        raise UsageError(f"{level!r} is not a log level", hint=f"one of: {', '.join(LEVELS)}")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("nexaflow_cli").setLevel(level.upper())
    # What uvicorn warns of is what strangers send; it is answered, and not worth a line each.
    # Below INFO it tells every header of a socket, and so the keys.
    quiet = logging.INFO if level.lower() == "debug" else logging.ERROR
    logging.getLogger("uvicorn").setLevel(quiet)
