"""Plain scalars by the core schema of YAML 1.2: `on`, `no`, `12:30` and dates are text."""

from __future__ import annotations

import math
import re
from typing import Any

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOL = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_FIRST = frozenset("0123456789+-.")
_INT = re.compile(r"[-+]?[0-9]+", re.ASCII)
_OCTAL = re.compile(r"0o[0-7]+", re.ASCII)
_HEX = re.compile(r"0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", re.ASCII)
_MAX_DIGITS = 40


class ScalarError(ValueError):
    """A number that no JSON tool could carry."""


def resolve(text: str) -> Any:
    """The value of a plain scalar.

    Raises:
        ScalarError: an integer of more than 64 bits, or a number that is not finite.
    """
    if text in _BOOL:
        return _BOOL[text]
    if text in _NULL:
        return None
    if text[0] not in _FIRST:
        return text
    if _INT.fullmatch(text):
        return _integer(text, 10)
    if _OCTAL.fullmatch(text):
        return _integer(text[2:], 8)
    if _HEX.fullmatch(text):
        return _integer(text[2:], 16)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            raise ScalarError(f"`{text[:40]}` is too large for a number")
        return number
    if _NOT_FINITE.fullmatch(text):
        raise ScalarError(f"`{text}` is not a number that a workflow can use")
    return text


def _integer(digits: str, base: int) -> int:
    value = int(digits, base) if len(digits) <= _MAX_DIGITS else 2**64
    if not -(2**63) <= value < 2**64:
        raise ScalarError("the number has more than 64 bits; quote it if it is text")
    return value


def has_leading_zero(text: str) -> bool:
    """Whether an integer is written like an octal number of old, which it is not."""
    digits = text.lstrip("+-")
    return len(digits) > 1 and digits[0] == "0" and digits.isdecimal()
