"""What an action is, and what it is given for one call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from nexaflow_cli.errors import InvalidError, NexaflowError, NotAllowedError, TooLargeError

OWNER_VARIABLE = "NEXAFLOW_OWNER"
"""Environment variable that marks every process a daemon started; no step may change it."""


class ActionError(NexaflowError):
    """The step failed, as the action tells it.

    Args:
        message: what happened, in a sentence.
        type: the kind of failure that `retry_on.errors` can name, such as `exit` or `timeout`.
        process_exit_code: exit status of a process, for `retry_on.exit_codes`.
        http_status: status of a response, for `retry_on.http_statuses`.
        retryable: False where a repeat cannot help.
        output: what the step produced all the same.
        retry_after: seconds the other side asked us to wait.
    """

    def __init__(
        self,
        message: str,
        *,
        type: str = "error",
        process_exit_code: int | None = None,
        http_status: int | None = None,
        retryable: bool = True,
        output: Any = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.type = type
        self.process_exit_code = process_exit_code
        self.http_status = http_status
        self.retryable = retryable
        self.output = output
        self.retry_after = retry_after


def failure(error: NexaflowError) -> ActionError:
    """The failure of a step that an error of another layer means, with the hint it had."""
    if isinstance(error, ActionError):
        return error
    told = ActionError(
        error.message,
        type=error.code,
        retryable=not isinstance(error, InvalidError | NotAllowedError | TooLargeError),
    )
    told.hint = error.hint
    return told


@dataclass(frozen=True, slots=True)
class Suspend:
    """Returned by an action that is done for now: the step succeeds with `output` at `until`.

    `until` is seconds since the epoch. Nothing is held while the step waits, and a restart
    of the daemon does not begin the wait again.
    """

    until: float
    output: Any = None


@dataclass(frozen=True, slots=True)
class Result:
    """An action's output with the `key=value` lines it wrote beside it."""

    output: Any
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileInfo:
    """One file of the file space; `modified` in seconds since the epoch."""

    path: str
    size: int
    modified: float
    etag: str


class Files(Protocol):
    """The file space as an action sees it; every change raises the events it should.

    `read` with a `limit` in bytes raises `TooLargeError` for a longer file.
    """

    async def read(self, path: str, *, limit: int | None = None) -> bytes: ...
    async def write(self, path: str, data: bytes) -> FileInfo: ...
    async def append(self, path: str, data: bytes) -> FileInfo: ...
    async def copy(self, source: str, target: str) -> FileInfo: ...
    async def move(self, source: str, target: str) -> FileInfo: ...
    async def delete(self, path: str) -> None: ...
    async def list(self, pattern: str) -> list[FileInfo]: ...
    async def exists(self, path: str) -> bool: ...
    def local_path(self, path: str) -> Path: ...


class Log(Protocol):
    """Where a step's words go; masks secrets and bounds size."""

    def write(self, stream: str, data: bytes) -> None:
        """Take bytes of `stdout` or `stderr` as they come; lines may be cut anywhere."""

    def line(self, text: str, *, level: str = "info") -> None:
        """Take one line said by the action itself."""

    def mask(self, text: str) -> str:
        """The text with every known secret value replaced."""


class Children(Protocol):
    """Who is told of process groups as they start and end, so that none outlives the daemon."""

    def add(self, pgid: int) -> None: ...
    def discard(self, pgid: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one step; sizes in bytes, `grace` in seconds."""

    output: int = 1024 * 1024
    response: int = 10 * 1024 * 1024
    grace: float = 5.0


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt of one step: who asks, and what it may use.

    `env` is the step's declared environment, rendered. `child_env` holds the NEXAFLOW_*
    variables and the base environment that a child process gets beneath it. `work_dir()` makes
    the run's own scratch directory on first use. An attempt is stopped by cancelling its task.
    """

    run_id: str
    workflow: str
    step: str
    attempt: int
    env: Mapping[str, str]
    child_env: Mapping[str, str]
    work_dir: Callable[[], Path]
    files: Files
    log: Log
    now: Callable[[], datetime]
    limits: Limits = Limits()
    children: Children | None = None


Run = Callable[[dict[str, Any], Call], Any | Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Action:
    """A kind of work a step can do.

    Args:
        name: as written in `action:`.
        summary: one line for `nexaflow actions list`.
        schema: JSON Schema (Draft 2020-12) of `with`; every property described.
        run: called as `run(params, call)`. A plain function must not block and runs on the
            loop's own thread; a coroutine function runs as a task. Returns the step's output
            (JSON data), a `Result`, or a `Suspend`; raises `ActionError` for a failure it can name.
        pure: no effect outside its output, so a repeat is free.
        output: what the step's output looks like, in a sentence.
        example: a `with` (and more) as YAML, for `nexaflow actions show`.
    """

    name: str
    summary: str
    schema: Mapping[str, Any]
    run: Run
    pure: bool = False
    output: str = ""
    example: str = ""
