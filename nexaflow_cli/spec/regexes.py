"""Regular expressions of inputs, refused where a hostile value could keep one busy for ever."""

from __future__ import annotations

import functools
import re
import warnings
from typing import Any

MAX_LENGTH = 1024
MAX_REPEATS = 4
"""Open-ended repeats in one pattern: matching time grows with the text to this power."""


@functools.lru_cache(maxsize=1024)
def check_regex(pattern: str) -> None:
    """Check that a pattern compiles, and that matching it takes no exponential time.

    Repeats inside repeats, alternatives inside repeats, back references and look-arounds are
    refused; what is left is enough for codes, names and addresses.

    Raises:
        ValueError: it does not compile, or it is refused.
    """
    if len(pattern) > MAX_LENGTH:
        raise ValueError(f"the pattern is longer than {MAX_LENGTH} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tree = re._parser.parse(pattern)  # type: ignore[attr-defined]
            re.compile(pattern)
    except (re.error, RecursionError, OverflowError, Warning) as error:
        raise ValueError(f"not a regular expression: {error}") from None
    repeats = _walk(tree, inside=False)
    if repeats > MAX_REPEATS:
        raise ValueError(f"the pattern has more than {MAX_REPEATS} open-ended repeats (* or +)")


def _walk(tree: Any, inside: bool) -> int:
    """How many open-ended repeats there are."""
    count = 0
    for operation, argument in tree:
        name = str(operation)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            low, high, body = argument
            varies = high != low
            if inside and varies:
                raise ValueError("a repeat inside a repeat could take for ever to match")
            count += varies and int(high) > 64
            count += _walk(body, inside or int(high) > 1)
        elif name == "BRANCH":
            if inside:
                raise ValueError("alternatives inside a repeat could take for ever to match")
            count += max(_walk(branch, inside) for branch in argument[1])
        elif name == "SUBPATTERN":
            count += _walk(argument[-1], inside)
        elif name == "ATOMIC_GROUP":
            count += _walk(argument, inside)
        elif name in ("ASSERT", "ASSERT_NOT", "GROUPREF", "GROUPREF_EXISTS"):
            raise ValueError("look-arounds and back references are not supported")
    return count
