"""What a schema finds wrong with a request, in words that name the field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_PLACES = {"query": "query parameter", "path": "part of the path", "header": "header"}
_SHOWN = 60


def field_problems(found: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Each of pydantic's findings as `{in, field, message}`, with a sentence for its message."""
    return [_one(error) for error in found]


def _one(error: Mapping[str, Any]) -> dict[str, str]:
    place, *path = error["loc"] or ("body",)
    field = ".".join(str(part) for part in path)
    subject = f"{_PLACES.get(str(place), 'the body')}" + (f" {field!r}" if path else "")
    if place == "body" and path:
        subject = f"field {field!r} of the body"
    if error["type"] == "missing":
        message = f"{subject} is missing"
    elif error["type"] == "extra_forbidden":
        message = f"{subject} is not known here"
    else:
        message = f"{subject}: {_lowered(error['msg'])}"
        if place != "body":
            message += f", not {_shown(error.get('input'))}"
    return {"in": str(place), "field": field, "message": message}


def _lowered(text: str) -> str:
    text = text.removeprefix("Value error, ").removeprefix("Input ")
    return text[:1].lower() + text[1:]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
