"""Filters on lists and objects; every one answers with a new list or a single value."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from nexaflow_cli.spec import methods, operators
from nexaflow_cli.spec.bounds import ELEMENT, Budget, to_data, type_name
from nexaflow_cli.spec.template import ExpressionError

Apply = Callable[[Any], Any]


def elements(budget: Budget, value: Any, name: str) -> list[Any]:
    """What a filter goes through: a list, an object's keys, a text's characters."""
    if isinstance(value, list):
        budget.spend(len(value))
        return value
    if isinstance(value, Mapping | str):
        budget.spend(ELEMENT * len(value))
        return list(value)
    raise ExpressionError(f"`{name}` needs a list, not {type_name(value)}")


def attribute(value: Any, path: Any) -> Any:
    """The field `a.b` of an object, `0` of a list.

    Raises:
        ExpressionError: there is no such field.
    """
    if isinstance(path, int):
        path = str(path)
    if not isinstance(path, str):
        raise ExpressionError("an attribute is named by text")
    for part in path.split("."):
        try:
            if isinstance(value, Mapping):
                value = value[part]
            elif isinstance(value, list) and part.isdecimal() and len(part) < 10:
                value = value[int(part)]
            else:
                raise KeyError(part)
        except LookupError:
            raise ExpressionError(f"{type_name(value)} has no `{part[:64]}`") from None
    return value


def length(budget: Budget, value: Any) -> int:
    """How many elements, fields or characters there are."""
    if not isinstance(value, list | Mapping | str):
        raise ExpressionError(f"`length` needs a list, an object or text, not {type_name(value)}")
    return len(value)


def first(budget: Budget, value: Any) -> Any:
    """The first element."""
    return _end(value, "first", 0)


def last(budget: Budget, value: Any) -> Any:
    """The last element."""
    return _end(value, "last", -1)


def _end(value: Any, name: str, index: int) -> Any:
    if not isinstance(value, list | str):
        raise ExpressionError(f"`{name}` needs a list, not {type_name(value)}")
    if not value:
        raise ExpressionError(f"`{name}` of an empty list; give one with `| default(…)` before")
    return value[index]


def join(budget: Budget, value: Any, separator: str = "", attribute: str | None = None) -> str:
    """The elements' texts with a separator between."""
    if not isinstance(separator, str):
        raise ExpressionError("`join` needs a text as separator")
    found = elements(budget, value, "join")
    return methods.join(budget, separator, _fields(found, attribute))


def _fields(found: list[Any], path: str | None) -> list[Any]:
    return found if path is None else [attribute(item, path) for item in found]


def to_list(budget: Budget, value: Any) -> list[Any]:
    """A list of the elements, keys or characters."""
    budget.spend(ELEMENT * len(value) if isinstance(value, list) else 0)
    return list(elements(budget, value, "list"))


def reverse(budget: Budget, value: Any) -> Any:
    """The list or text from its end."""
    if isinstance(value, str):
        budget.spend(len(value))
        return value[::-1]
    return to_list(budget, value)[::-1]


def _key(value: Any, case_sensitive: bool) -> tuple[int, Any]:
    # One order over all scalars keeps a mixed list from failing half way.
    if value is None:
        return (0, 0)
    if isinstance(value, int | float):
        return (1, value)
    if isinstance(value, str):
        return (2, value if case_sensitive else value.lower())
    raise ExpressionError(f"{type_name(value)} has no order; name a field with attribute=")


def sort(
    budget: Budget,
    value: Any,
    reverse: bool = False,
    case_sensitive: bool = False,
    attribute: str | None = None,
) -> list[Any]:
    """The elements in order; texts without regard to case unless told."""
    found = elements(budget, value, "sort")
    budget.spend(4 * ELEMENT * len(found))
    keys = [_key(item, bool(case_sensitive)) for item in _fields(found, attribute)]
    order = sorted(range(len(found)), key=keys.__getitem__, reverse=bool(reverse))
    return [found[index] for index in order]


def unique(budget: Budget, value: Any, attribute: str | None = None) -> list[Any]:
    """The elements, each once, where it first appears."""
    found = elements(budget, value, "unique")
    seen: set[str] = set()
    kept = []
    for item, field in zip(found, _fields(found, attribute), strict=True):
        key = json.dumps(to_data(field, budget), sort_keys=True)
        if key not in seen:
            seen.add(key)
            kept.append(item)
    return kept


def _extreme(budget: Budget, value: Any, name: str, path: str | None) -> Any:
    found = elements(budget, value, name)
    if not found:
        raise ExpressionError(f"`{name}` of an empty list")
    pick = min if name == "min" else max
    return pick(found, key=lambda item: _key(item if path is None else attribute(item, path), True))


def minimum(budget: Budget, value: Any, attribute: str | None = None) -> Any:
    """The smallest element."""
    return _extreme(budget, value, "min", attribute)


def maximum(budget: Budget, value: Any, attribute: str | None = None) -> Any:
    """The largest element."""
    return _extreme(budget, value, "max", attribute)


def total(budget: Budget, value: Any, attribute: str | None = None, start: Any = 0) -> Any:
    """The sum of the numbers."""
    result = start
    for item in _fields(elements(budget, value, "sum"), attribute):
        if isinstance(item, str | list):
            raise ExpressionError(f"`sum` needs numbers, not {type_name(item)}")
        result = operators.add(budget, result, item)
    return result


def mapped(budget: Budget, value: Any, apply: Apply) -> list[Any]:
    """What `apply` makes of each element."""
    found = elements(budget, value, "map")
    budget.spend(ELEMENT * len(found))
    return [apply(item) for item in found]


def kept(budget: Budget, value: Any, apply: Apply, wanted: bool) -> list[Any]:
    """The elements for which `apply` is true, or is not."""
    found = elements(budget, value, "select")
    budget.spend(ELEMENT * len(found))
    return [item for item in found if bool(apply(item)) is wanted]


def batch(budget: Budget, value: Any, size: int) -> list[Any]:
    """The elements in lists of `size`."""
    if not isinstance(size, int) or size < 1:
        raise ExpressionError("`batch` needs a size of at least 1")
    found = elements(budget, value, "batch")
    budget.spend(2 * ELEMENT * len(found))
    return [found[start : start + size] for start in range(0, len(found), size)]


FILTERS: dict[str, Callable[..., Any]] = {
    "batch": batch,
    "count": length,
    "first": first,
    "items": methods.items,
    "join": join,
    "last": last,
    "length": length,
    "list": to_list,
    "max": maximum,
    "min": minimum,
    "reverse": reverse,
    "sort": sort,
    "sum": total,
    "unique": unique,
}
