"""The methods that expressions may call: a fixed list, on text, lists and objects only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nexaflow_cli.spec.bounds import ELEMENT, Budget, to_text, type_name
from nexaflow_cli.spec.template import ExpressionError

Method = Callable[..., Any]
_MAX_NEEDLE = 128
"""Searches from the right, and sets of characters, cost text length times this at worst."""


def _plain(name: str) -> Method:
    function = getattr(str, name)

    def run(budget: Budget, text: str, /, *args: str | int) -> Any:
        budget.spend(len(text))
        return function(text, *args)

    return run


def _short(name: str) -> Method:
    function = getattr(str, name)

    def run(budget: Budget, text: str, /, *args: str | int) -> Any:
        if args and isinstance(args[0], str) and len(args[0]) > _MAX_NEEDLE:
            raise ExpressionError(f"{name}() takes at most {_MAX_NEEDLE} characters")
        budget.spend(len(text))
        return function(text, *args)

    return run


def _padded(name: str) -> Method:
    function = getattr(str, name)

    def run(budget: Budget, text: str, width: int, /, *args: str) -> Any:
        if not isinstance(width, int):
            raise ExpressionError(f"{name}() needs a number of characters")
        budget.spend(max(len(text), width))
        return function(text, width, *args)

    return run


def _split(name: str, short: bool) -> Method:
    function = getattr(str, name)

    def run(budget: Budget, text: str, /, *args: str | int) -> Any:
        if short and args and isinstance(args[0], str) and len(args[0]) > _MAX_NEEDLE:
            raise ExpressionError(f"{name}() takes at most {_MAX_NEEDLE} characters")
        separator = args[0] if args and isinstance(args[0], str) else None
        pieces = text.count(separator) + 1 if separator else len(text) // 2 + 1
        budget.spend(len(text) + (ELEMENT * pieces if separator else pieces))
        return list(function(text, *args))

    return run


def replace(budget: Budget, text: str, old: str, new: str, count: int = -1, /) -> str:
    """The text with `old` replaced by `new`, at most `count` times."""
    if not (isinstance(text, str) and isinstance(old, str) and isinstance(new, str)):
        raise ExpressionError("replace() works on text")
    found = text.count(old) if count < 0 else min(text.count(old), count)
    budget.spend(len(text) + found * max(0, len(new) - len(old)))
    return text.replace(old, new, count)


def join(budget: Budget, separator: str, items: Any, /) -> str:
    """The texts of the items with the separator between."""
    if not isinstance(items, list):
        raise ExpressionError(f"join() needs a list, not {type_name(items)}")
    budget.spend((len(separator) + 1) * len(items))
    texts = [to_text(item, budget) for item in items]
    budget.spend(sum(map(len, texts)))
    return separator.join(texts)


def _keys(budget: Budget, mapping: Mapping[str, Any], /) -> list[str]:
    budget.spend(ELEMENT * len(mapping))
    return list(mapping)


def _values(budget: Budget, mapping: Mapping[str, Any], /) -> list[Any]:
    budget.spend(ELEMENT * len(mapping))
    return list(mapping.values())


def items(budget: Budget, mapping: Mapping[str, Any], /) -> list[list[Any]]:
    """The object's `[key, value]` pairs."""
    if not isinstance(mapping, Mapping):
        raise ExpressionError(f"items needs an object, not {type_name(mapping)}")
    budget.spend(4 * ELEMENT * len(mapping))
    return [[key, value] for key, value in mapping.items()]


def _get(budget: Budget, mapping: Mapping[str, Any], key: str, default: Any = None, /) -> Any:
    return mapping.get(key, default) if isinstance(key, str) else default


def _index(budget: Budget, values: list[Any], value: Any, /) -> int:
    budget.spend(len(values))
    return values.index(value)


def _count(budget: Budget, values: list[Any], value: Any, /) -> int:
    budget.spend(len(values))
    return values.count(value)


_PLAIN = (
    *("upper", "lower", "title", "capitalize", "swapcase", "casefold"),
    *("startswith", "endswith", "removeprefix", "removesuffix"),
    *("find", "index", "count", "partition"),
    *("isdigit", "isalpha", "isalnum", "isnumeric", "isdecimal", "islower", "isupper", "isspace"),
)
_SHORT = ("strip", "lstrip", "rstrip", "rfind", "rindex", "rpartition")

TEXT: dict[str, Method] = {
    **{name: _plain(name) for name in _PLAIN},
    **{name: _short(name) for name in _SHORT},
    **{name: _padded(name) for name in ("ljust", "rjust", "center", "zfill")},
    "split": _split("split", short=False),
    "rsplit": _split("rsplit", short=True),
    "splitlines": _split("splitlines", short=False),
    "replace": replace,
    "join": join,
}
LIST: dict[str, Method] = {"index": _index, "count": _count}
OBJECT: dict[str, Method] = {"keys": _keys, "values": _values, "items": items, "get": _get}
NAMES = frozenset(TEXT) | frozenset(LIST) | frozenset(OBJECT)


def find(value: Any, name: str) -> Method:
    """The method of that name for the value.

    Raises:
        ExpressionError: values of this type have no such method.
    """
    table: dict[str, Method] = {}
    if isinstance(value, str):
        table = TEXT
    elif isinstance(value, list):
        table = LIST
    elif isinstance(value, Mapping):
        table = OBJECT
    method = table.get(name)
    if method is None:
        raise ExpressionError(f"{type_name(value)} has no method `{name}`")
    return method
