"""Reading rendered `with` values: the schema saw the text, expressions decide the type late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nexaflow_cli.actions.base import ActionError

_NAMES = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a mapping",
    type(None): "null",
}


def invalid(message: str) -> ActionError:
    """The failure of a step whose parameters cannot work; trying again would not help."""
    return ActionError(message, type="invalid", retryable=False)


def _wrong(name: str, wanted: str, value: object) -> ActionError:
    found = _NAMES.get(type(value), type(value).__name__)
    return invalid(f"`{name}` must be {wanted}, but it is {found}")


def text(params: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """The text called `name`; numbers are taken as they print."""
    value = params.get(name, default)
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if name not in params:
        raise invalid(f"`{name}` is missing")
    raise _wrong(name, "text", value)


def flag(params: Mapping[str, Any], name: str, default: bool) -> bool:
    """The boolean called `name`."""
    value = params.get(name, default)
    if not isinstance(value, bool):
        raise _wrong(name, "true or false", value)
    return value


def whole(params: Mapping[str, Any], name: str, default: int) -> int:
    """The whole number called `name`, 0 or more."""
    value = params.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(name, "a whole number", value)
    if value < 0:
        raise invalid(f"`{name}` must be 0 or more, but it is {value}")
    return value


def mapping(params: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The mapping called `name`; empty if absent."""
    value = params.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _wrong(name, "a mapping", value)
    return value


def choice(
    params: Mapping[str, Any], name: str, options: tuple[str, ...], default: str | None = None
) -> str:
    """One of `options`, the value called `name`."""
    value = params.get(name, default)
    if not isinstance(value, str) or value not in options:
        raise invalid(f"`{name}` must be one of {', '.join(options)}, but it is {value!r}")
    return value


def seconds(params: Mapping[str, Any], name: str) -> float:
    """The duration called `name` in seconds, written as `1h30m`, `250ms` or a number."""
    from nexaflow_cli.spec.durations import parse_duration

    value = params.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _wrong(name, "a duration such as 90s or 1h30m", value)
    try:
        return parse_duration(value)
    except ValueError as error:
        raise invalid(f"`{name}`: {error}") from None
