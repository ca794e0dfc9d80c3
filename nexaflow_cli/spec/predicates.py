"""The tests of expressions: what may follow `is`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nexaflow_cli.spec.bounds import Budget, type_name
from nexaflow_cli.spec.operators import COMPARE
from nexaflow_cli.spec.patterns import compile_pattern
from nexaflow_cli.spec.template import ExpressionError

Predicate = Callable[..., Any]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ExpressionError(f"the test needs a whole number, not {type_name(value)}")
    return value


def _divisible(budget: Budget, value: Any, number: Any) -> bool:
    return _whole(value) % _whole(number) == 0


def _matching(budget: Budget, value: Any, pattern: Any) -> bool:
    if not isinstance(value, str) or not isinstance(pattern, str):
        raise ExpressionError("`matching` needs a path and a pattern")
    budget.spend(len(value) * (1 + len(pattern) // 8))
    return compile_pattern(pattern).match(value)


def _compare(name: str) -> Predicate:
    apply = COMPARE[name]

    def run(budget: Budget, value: Any, other: Any) -> Any:
        return apply(budget, value, other)

    return run


PREDICATES: dict[str, Predicate] = {
    "boolean": lambda budget, value: isinstance(value, bool),
    "divisibleby": _divisible,
    "even": lambda budget, value: _whole(value) % 2 == 0,
    "false": lambda budget, value: value is False,
    "float": lambda budget, value: isinstance(value, float),
    "integer": lambda budget, value: isinstance(value, int) and not isinstance(value, bool),
    "iterable": lambda budget, value: isinstance(value, list | Mapping | str),
    "mapping": lambda budget, value: isinstance(value, Mapping),
    "matching": _matching,
    "none": lambda budget, value: value is None,
    "null": lambda budget, value: value is None,
    "number": lambda budget, value: _is_number(value),
    "odd": lambda budget, value: _whole(value) % 2 == 1,
    "sequence": lambda budget, value: isinstance(value, list),
    "string": lambda budget, value: isinstance(value, str),
    "true": lambda budget, value: value is True,
    **{name: _compare("eq") for name in ("eq", "equalto")},
    "ne": _compare("ne"),
    **{name: _compare("lt") for name in ("lt", "lessthan")},
    "le": _compare("lteq"),
    **{name: _compare("gt") for name in ("gt", "greaterthan")},
    "ge": _compare("gteq"),
    "in": _compare("in"),
}
