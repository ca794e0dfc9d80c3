"""What an expression may use up, and what its result may be."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from nexaflow_cli.spec.template import ExpressionError

RESULT_LIMIT = 2 * 1024 * 1024
"""About the characters that a rendered value may have as JSON; a step's output has half."""

WORK_LIMIT = 4 * RESULT_LIMIT
"""Characters, and `ELEMENT` for each element, that one expression may make on its way."""

MAX_DEPTH = 100
ELEMENT = 8
dump = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
_MIN_INT, _MAX_INT = -(2**63), 2**64 - 1


class Budget:
    """What is left for one evaluation."""

    __slots__ = ("left",)

    def __init__(self, left: int = WORK_LIMIT) -> None:
        self.left = left

    def spend(self, amount: int) -> None:
        """Take `amount` off, before the thing it pays for is made.

        Raises:
            ExpressionError: not enough is left.
        """
        self.left -= amount
        if self.left < 0:
            raise ExpressionError("the expression makes too much data")


def checked_int(value: int) -> int:
    """The integer, if it is one that JSON tools can carry (64 bits)."""
    if not _MIN_INT <= value <= _MAX_INT:
        raise ExpressionError("the number is too large")
    return value


def to_data(value: Any, budget: Budget, depth: int = MAX_DEPTH) -> Any:
    """A copy of the value as plain JSON data.

    Raises:
        ExpressionError: it holds something else, or is too large or too deep.
    """
    kind = type(value)
    if kind is str:
        budget.spend(len(value) + 2)
        return value
    if value is None or kind is bool:
        return value
    if kind is int:
        return checked_int(value)
    if kind is float:
        if not math.isfinite(value):
            raise ExpressionError("the number is not finite")
        return value
    if depth == 0:
        raise ExpressionError("the value is nested too deeply")
    if kind is list or kind is tuple:
        budget.spend(2 * len(value))
        return [to_data(item, budget, depth - 1) for item in value]
    if isinstance(value, Mapping):
        budget.spend(4 * len(value))
        result = {}
        for key, item in value.items():
            if type(key) is not str:
                raise ExpressionError("an object's keys are text")
            budget.spend(len(key))
            result[key] = to_data(item, budget, depth - 1)
        return result
    raise ExpressionError(f"a value of type {kind.__name__} cannot be used here")


def to_text(value: Any, budget: Budget) -> str:
    """Text as it is; anything else as JSON writes it (`true`, `null`, `[1, 2]`)."""
    if type(value) is str:
        return value
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    return str(value) if type(value) is int else dump(to_data(value, budget))


def type_name(value: Any) -> str:
    """What a person calls the type of the value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    return type(value).__name__
