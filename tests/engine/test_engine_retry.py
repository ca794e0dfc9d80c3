"""When a failed attempt is tried again: the formula, the filters, the other side's wish."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexaflow_cli.engine.retry import backoff, matches, next_attempt
from nexaflow_cli.spec.model import Retry, RetryFilter


@pytest.mark.parametrize(
    ("first", "multiplier", "most", "waits"),
    [
        (1, 2, 300, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]),
        (5, 1.5, 300, [5, 7.5, 11.25, 16.875, 25.3125]),
        (10, 1, 300, [10, 10, 10]),
        (8, 0.5, 300, [8, 4, 2, 1]),
        (600, 2, 300, [300, 300]),
        (0, 2, 300, [0, 0, 0]),
        (3, 2, 0, [0, 0]),
    ],
)
def test_waits_grow_by_the_multiplier_up_to_the_limit(
    first: float, multiplier: float, most: float, waits: list[float]
) -> None:
    rule = Retry(99, first, multiplier, most)
    assert [backoff(rule, n, 0.5) for n in range(1, len(waits) + 1)] == waits


@pytest.mark.parametrize(
    ("jitter", "chance", "wait"),
    [
        (0, 0, 100),
        (0.2, 0, 80),
        (0.2, 0.25, 90),
        (0.2, 0.5, 100),
        (0.2, 0.999999, 120),
        (1, 0, 0),
        (1, 0.75, 150),
    ],
)
def test_jitter_spreads_around_the_wait(jitter: float, chance: float, wait: float) -> None:
    rule = Retry(9, 100, 1, 300, jitter)
    assert backoff(rule, 1, chance) == pytest.approx(wait, abs=0.01)


@pytest.mark.parametrize("multiplier", [2.0, 10, 1e308])
def test_waits_too_large_for_a_number_are_the_limit(multiplier: float) -> None:
    assert backoff(Retry(9, 1.0, multiplier, 300), 100_000, 0.5) == 300
    assert backoff(Retry(9, 0, multiplier, 300), 100_000, 0.5) == 0


@given(
    first=st.floats(0, 1e6),
    multiplier=st.floats(0.1, 100),
    most=st.floats(0, 1e6),
    jitter=st.floats(0, 1),
    failures=st.integers(1, 10_000),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_a_wait_is_never_negative_and_never_beyond_the_spread_limit(
    first: float, multiplier: float, most: float, jitter: float, failures: int, chance: float
) -> None:
    wait = backoff(Retry(9, first, multiplier, most, jitter), failures, chance)
    assert 0 <= wait <= most * (1 + jitter) * (1 + 1e-12)


EXIT_75 = RetryFilter(exit_codes=(75,))
BUSY = RetryFilter(http_statuses=(429, 503), errors=("timeout",))


@pytest.mark.parametrize(
    ("more", "failures", "error", "wait"),
    [
        ({}, 1, {}, 10),
        ({}, 2, {}, 10),
        ({}, 3, {}, None),  # three attempts are three attempts
        ({"max_attempts": 1}, 1, {}, None),
        ({}, 1, {"retryable": False}, None),
        ({}, 1, {"retryable": True}, 10),
        ({"retry_on": EXIT_75}, 1, {"exit_code": 75}, 10),
        ({"retry_on": EXIT_75}, 1, {"exit_code": 1}, None),
        ({"retry_on": EXIT_75}, 1, {}, None),
        ({"retry_on": EXIT_75}, 1, {"exit_code": 75, "retryable": False}, None),
        ({"retry_on": BUSY}, 1, {"http_status": 503}, 10),
        ({"retry_on": BUSY}, 1, {"type": "timeout"}, 10),
        ({"retry_on": BUSY}, 1, {"type": "http", "http_status": 404}, None),
        ({"give_up_on": EXIT_75}, 1, {"exit_code": 75}, None),
        ({"give_up_on": EXIT_75}, 1, {"exit_code": 1}, 10),
        ({"retry_on": BUSY, "give_up_on": EXIT_75}, 1, {"type": "timeout", "exit_code": 75}, None),
        ({}, 1, {"retry_after": 60}, 60),  # the other side knows better
        ({}, 1, {"retry_after": 3}, 10),  # but is not hurried
        ({}, 1, {"retry_after": -3}, 10),
        ({}, 1, {"retry_after": 1e9}, 86_400),  # nor waited for forever
        ({}, 1, {"retry_after": "soon"}, 10),
        ({}, 3, {"retry_after": 60}, None),
    ],
)
def test_next_attempt(
    more: dict[str, Any], failures: int, error: dict[str, Any], wait: float | None
) -> None:
    rule = Retry(**{"max_attempts": 3, "backoff_seconds": 10, "backoff_multiplier": 1, **more})
    due = next_attempt(rule, failures, {"message": "broke", **error}, 1000.0, 0.5)
    assert due == (None if wait is None else 1000.0 + wait)


@pytest.mark.parametrize(
    ("rule", "error", "found"),
    [
        (RetryFilter(), {"type": "exit", "exit_code": 1}, False),
        (RetryFilter(exit_codes=(1, 2)), {"exit_code": 2}, True),
        (RetryFilter(exit_codes=(1, 2)), {"http_status": 2}, False),
        (RetryFilter(errors=("timeout",)), {"type": "timeout"}, True),
        (RetryFilter(exit_codes=(1,), errors=("timeout",)), {"type": "timeout"}, True),
    ],
)
def test_a_filter_matches_if_any_member_does(
    rule: RetryFilter, error: dict[str, Any], found: bool
) -> None:
    assert matches(rule, error) is found
