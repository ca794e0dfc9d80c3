"""The one tree of errors; each says what, why and what to try, and carries its exit code."""

from __future__ import annotations

from typing import Any, ClassVar


class NexaflowError(Exception):
    """Base of every error NexaFlow raises on purpose.

    Args:
        message: one sentence that names the thing and the cause.
        hint: the next command or change to try; empty if there is none.
    """

    exit_code: ClassVar[int] = 1
    status: ClassVar[int] = 500
    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def details(self) -> dict[str, Any]:
        """Extra members for the API's problem document."""
        return {}


class InvalidError(NexaflowError):
    """The content of a request is wrong: a workflow, an input, a pattern, a path."""

    status = 422
    code = "invalid"


class UsageError(NexaflowError):
    """The command line or the request itself is malformed."""

    exit_code = 2
    status = 400
    code = "usage"


class UnreachableError(NexaflowError):
    """No daemon answers at the address."""

    exit_code = 3
    status = 503
    code = "unreachable"


class NotAllowedError(NexaflowError):
    """The key is missing, wrong, or its role does not allow this."""

    exit_code = 4
    status = 403
    code = "not-allowed"


class UnauthenticatedError(NotAllowedError):
    """No usable credential came with the request."""

    status = 401
    code = "unauthenticated"


class NotFoundError(NexaflowError):
    """Nothing has that name."""

    exit_code = 5
    status = 404
    code = "not-found"


class NexaflowFileNotFoundError(NotFoundError):
    """No file at that path of the file space."""

    code = "file-not-found"


class ConflictError(NexaflowError):
    """The thing is not in a state that allows this."""

    exit_code = 6
    status = 409
    code = "conflict"


class TooLargeError(NexaflowError):
    """The content is over a limit."""

    status = 413
    code = "too-large"


class GoneError(NexaflowError):
    """An interface that existed once."""

    status = 410
    code = "gone"


class UnavailableError(NexaflowError):
    """The daemon cannot do this now, and may later."""

    status = 503
    code = "unavailable"
