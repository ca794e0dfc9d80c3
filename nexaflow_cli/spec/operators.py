"""The operators of expressions, none of which can make a small text do large work."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from nexaflow_cli.spec.bounds import ELEMENT, Budget, checked_int, to_text, type_name
from nexaflow_cli.spec.template import ExpressionError

Operator = Callable[[Budget, Any, Any], Any]


def _numbers(symbol: str, left: Any, right: Any) -> None:
    for value in (left, right):
        if not isinstance(value, int | float):
            hint = "; join text with `~`" if isinstance(left, str) and symbol == "+" else ""
            raise ExpressionError(
                f"`{symbol}` cannot combine {type_name(left)} and {type_name(right)}{hint}"
            )


def _checked(value: Any) -> Any:
    if isinstance(value, int):
        return checked_int(value)
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise ExpressionError("the result is not a number")


def _arithmetic(symbol: str, apply: Callable[[Any, Any], Any]) -> Operator:
    def run(budget: Budget, left: Any, right: Any) -> Any:
        _numbers(symbol, left, right)
        return _checked(apply(left, right))

    return run


def add(budget: Budget, left: Any, right: Any) -> Any:
    """Sum of numbers; texts or lists one after the other."""
    if isinstance(left, str) and isinstance(right, str):
        budget.spend(len(left) + len(right))
        return left + right
    if isinstance(left, list) and isinstance(right, list):
        budget.spend(ELEMENT * (len(left) + len(right)))
        return left + right
    _numbers("+", left, right)
    return _checked(left + right)


def multiply(budget: Budget, left: Any, right: Any) -> Any:
    """Product of numbers; a text or list so many times."""
    if isinstance(right, str | list):
        left, right = right, left
    if isinstance(left, str | list):
        if not isinstance(right, int) or isinstance(right, bool):
            raise ExpressionError(f"`*` cannot combine {type_name(left)} and {type_name(right)}")
        size = len(left) * (1 if isinstance(left, str) else ELEMENT)
        budget.spend(size * max(0, right))
        return left * right
    _numbers("*", left, right)
    return _checked(left * right)


def power(budget: Budget, left: Any, right: Any) -> Any:
    """Power of numbers whose result has at most 64 bits."""
    _numbers("**", left, right)
    whole = isinstance(left, int) and isinstance(right, int)
    if whole and abs(left) > 1 and right * (abs(left).bit_length() - 1) > 64:
        raise ExpressionError("the number is too large")
    if whole and right > 2**20:  # 0, 1 and -1: the exponent's parity is all that counts
        right = 2 + right % 2
    return _checked(left**right)


def concat(budget: Budget, values: list[Any]) -> str:
    """The texts of all values, one after the other."""
    texts = [to_text(value, budget) for value in values]
    budget.spend(sum(map(len, texts)))
    return "".join(texts)


def contains(budget: Budget, left: Any, right: Any) -> bool:
    """Whether `left` is part of a text, an element of a list, or a key of an object."""
    if isinstance(right, str):
        if not isinstance(left, str):
            raise ExpressionError(f"`in` cannot look for {type_name(left)} in text")
        budget.spend(len(right) // ELEMENT)
        return left in right
    if isinstance(right, list):
        budget.spend(len(right))
        return left in right
    if isinstance(right, Mapping):
        return isinstance(left, str) and left in right
    raise ExpressionError(f"`in` needs text, a list or an object, not {type_name(right)}")


def _ordered(symbol: str, apply: Callable[[Any, Any], Any]) -> Operator:
    def run(budget: Budget, left: Any, right: Any) -> Any:
        same = isinstance(left, str) and isinstance(right, str)
        if not same and not (isinstance(left, int | float) and isinstance(right, int | float)):
            hint = ""
            if {type_name(left), type_name(right)} == {"text", "a number"}:
                hint = "; convert the text with `| int` or `| float`"
            raise ExpressionError(
                f"`{symbol}` cannot compare {type_name(left)} with {type_name(right)}{hint}"
            )
        return apply(left, right)

    return run


def _equal(budget: Budget, left: Any, right: Any) -> bool:
    if isinstance(left, list | Mapping) or isinstance(right, list | Mapping):
        budget.spend(64)
    # In Python `1 == true`; in data they are different things.
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    return bool(left == right)


BINARY: dict[str, Operator] = {
    "Add": add,
    "Sub": _arithmetic("-", operator.sub),
    "Mul": multiply,
    "Div": _arithmetic("/", operator.truediv),
    "FloorDiv": _arithmetic("//", operator.floordiv),
    "Mod": _arithmetic("%", operator.mod),
    "Pow": power,
}

COMPARE: dict[str, Operator] = {
    "eq": _equal,
    "ne": lambda budget, left, right: not _equal(budget, left, right),
    "lt": _ordered("<", operator.lt),
    "lteq": _ordered("<=", operator.le),
    "gt": _ordered(">", operator.gt),
    "gteq": _ordered(">=", operator.ge),
    "in": contains,
    "notin": lambda budget, left, right: not contains(budget, left, right),
}


def negate(value: Any) -> Any:
    """The number with its sign turned."""
    if not isinstance(value, int | float):
        raise ExpressionError(f"`-` needs a number, not {type_name(value)}")
    return _checked(-value)
