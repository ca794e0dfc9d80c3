"""What requests bring: JSON of a known shape, in bounded memory."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from nexaflow_cli.errors import TooLargeError, UsageError
from nexaflow_cli.server.problems import from_fields

JSON_BYTES = 16 * 1024 * 1024
SMALL_BYTES = 64 * 1024
BODY_SECONDS = 120.0
LARGE_AT_ONCE = 4
"""So many bodies over SMALL_BYTES are held at a time; the others wait on the wire."""

Short = Annotated[str, Field(min_length=1, max_length=200)]
PathText = Annotated[str, Field(min_length=1, max_length=8192)]


class Body(BaseModel):
    """Unknown fields are refused: a misspelt one must not be passed over."""

    model_config = ConfigDict(extra="forbid", strict=True)


class SourceDocument(Body):
    filename: str = Field(description="Named in diagnostics.", min_length=1, max_length=4096)
    source: str = Field(description="The YAML text; may hold several documents.")


class Apply(Body):
    documents: list[SourceDocument] = Field(min_length=1, max_length=10_000)
    prune: bool = Field(False, description="Delete every workflow that is not among them.")
    dry_run: bool = Field(False, description="Change nothing, and tell what would change.")


class StartRun(Body):
    workflow: Short
    inputs: dict[str, Any] = Field(default_factory=dict, description="By name, as declared.")
    idempotency_key: Short | None = Field(
        None, description="A second request with the same key answers with the first run."
    )


class CancelRun(Body):
    reason: str = Field("", max_length=2000)


class Nothing(Body):
    pass


class Transfer(Body):
    source: PathText = Field(alias="from", description="A path of the file space.")
    target: PathText = Field(
        alias="to", description="A path of the file space; one that ends in `/` is a folder."
    )


class ReadMany(Body):
    paths: list[PathText] = Field(max_length=1000)


B = TypeVar("B", bound=Body)


async def json_body(request: Request, shape: type[B]) -> B:
    """The body of a request, as `shape` describes it; none at all is an empty object.

    Raises:
        UsageError: it is not JSON.
        InvalidError: it is not of that shape.
        TooLargeError: it is over JSON_BYTES.
    """
    if _declared(request) <= SMALL_BYTES:
        return _parse(await whole_body(request, JSON_BYTES), shape)
    slots: asyncio.Semaphore = request.app.state.large_bodies
    async with slots:
        return _parse(await whole_body(request, JSON_BYTES), shape)


async def whole_body(request: Request, limit: int) -> bytes:
    """All of a body.

    Raises:
        TooLargeError: it is over `limit` bytes; the rest of it was not read.
        UsageError: it did not come in time.
    """
    check_declared(request, limit)
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                size += len(piece)
                if size > limit:
                    raise _too_large(limit)
                pieces.append(piece)
    except TimeoutError:
        raise UsageError(f"the body did not come within {BODY_SECONDS:g} s") from None
    return b"".join(pieces)


def check_declared(request: Request, limit: int) -> None:
    """Refuse by its Content-Length a body over `limit` bytes, before any of it is read."""
    if request.headers.get("content-length") and _declared(request) > limit:
        raise _too_large(limit)


def is_small(request: Request) -> bool:
    """Whether the body is said to be small enough to be taken whole."""
    return _declared(request) <= SMALL_BYTES


def _declared(request: Request) -> int:
    """Bytes the body is said to have; a chunked one does not say, and counts as large."""
    length = request.headers.get("content-length")
    if length is None:
        return SMALL_BYTES + 1 if "transfer-encoding" in request.headers else 0
    return int(length)


def _parse(content: bytes, shape: type[B]) -> B:
    try:
        data = orjson.loads(content) if content else {}
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UsageError(
            f"the body is not JSON: {error.msg} ({where})", hint="send application/json in UTF-8"
        ) from None
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        raise from_fields([{**e, "loc": ("body", *e["loc"])} for e in found]) from None


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(
        f"the body is larger than {limit:,} bytes, the most that this request may bring",
        hint="send it in parts, or put files into the file space on the daemon's own machine",
    )
