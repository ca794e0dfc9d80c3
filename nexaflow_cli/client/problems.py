"""What a daemon answers when it refuses, as the errors of our own tree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nexaflow_cli import errors


class RejectedError(errors.InvalidError):
    """The daemon found fault with the documents sent to it.

    Args:
        diagnostics: one mapping a finding: code, severity, message, file, line, column, hint.
    """

    def __init__(
        self, message: str, *, hint: str = "", diagnostics: list[dict[str, Any]] | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.diagnostics = diagnostics or []

    def details(self) -> dict[str, Any]:
        return {"diagnostics": self.diagnostics}


class ForeignError(errors.UnreachableError):
    """What answers at the address is no daemon of ours."""


_KNOWN: tuple[type[errors.NexaflowError], ...] = (
    errors.InvalidError,
    errors.UsageError,
    errors.UnauthenticatedError,
    errors.NotAllowedError,
    errors.NexaflowFileNotFoundError,
    errors.NotFoundError,
    errors.ConflictError,
    errors.TooLargeError,
    errors.GoneError,
    errors.UnavailableError,
)
_BY_CODE = {kind.code: kind for kind in _KNOWN}
_BY_STATUS = {kind.status: kind for kind in reversed(_KNOWN)} | {404: errors.NotFoundError}


def error_from(status: int, content_type: str, body: bytes, url: str) -> errors.NexaflowError:
    """The error that a response with `status` of 400 and more stands for.

    Args:
        status: the HTTP status.
        content_type: the media type of the body, with or without parameters.
        body: the body; read as a problem document (RFC 9457) if it is JSON.
        url: the address asked, for an answer that no daemon of ours gave.
    """
    problem = _problem(content_type, body)
    if problem is None:
        return _foreign(status, url)
    message = str(problem.get("detail") or problem.get("title") or f"HTTP status {status}")
    hint = str(problem.get("hint") or "")
    found = problem.get("diagnostics")
    if isinstance(found, list):
        rows = [dict(row) for row in found if isinstance(row, Mapping)]
        return RejectedError(message, hint=hint, diagnostics=rows)
    kind = _BY_CODE.get(str(problem.get("code"))) or _BY_STATUS.get(status, errors.NexaflowError)
    if not hint and issubclass(kind, errors.UnauthenticatedError):
        hint = "set NEXAFLOW_API_KEY, or pass --api-key"
    return kind(message, hint=hint)


def _problem(content_type: str, body: bytes) -> Mapping[str, Any] | None:
    if "json" not in content_type:
        return None
    try:
        data = json.loads(body)
    except ValueError:
        return None
    if not isinstance(data, Mapping) or not {"detail", "title", "code"} & data.keys():
        return None
    return data


def _foreign(status: int, url: str) -> errors.NexaflowError:
    message = f"{url} answered with HTTP status {status}, and not as a NexaFlow daemon does"
    hint = "check the address: --url or NEXAFLOW_URL"
    # No page of a stranger says whether a workflow is there, only that this is no daemon.
    kind = {401: errors.UnauthenticatedError, 403: errors.NotAllowedError}.get(status)
    return (kind or ForeignError)(message, hint=hint)
