"""Whether and when a failed attempt is tried again."""

from __future__ import annotations

from nexaflow_cli.engine.facts import Error
from nexaflow_cli.spec.model import Retry, RetryFilter


def backoff(retry: Retry, failures: int, chance: float) -> float:
    """Seconds to wait after the given number of failures (1 is the first).

    `min(max_backoff, backoff · multiplier^(failures-1))`, spread by ± `jitter` of itself;
    `chance` in [0, 1) chooses where in that range.
    """
    try:
        delay = retry.backoff_seconds * retry.backoff_multiplier ** (failures - 1)
    except OverflowError:
        delay = retry.max_backoff_seconds if retry.backoff_seconds else 0.0
    delay = min(delay, retry.max_backoff_seconds)
    return max(0.0, delay * (1 + retry.jitter * (2 * chance - 1)))


def next_attempt(
    retry: Retry, failures: int, error: Error, now: float, chance: float
) -> float | None:
    """When the next attempt is due, in seconds since the epoch; None: there is none.

    A `retry_after` in the error, the other side's own wish, is honoured where it is longer
    than the backoff.
    """
    if failures >= retry.max_attempts or error.get("retryable") is False:
        return None
    if retry.retry_on is not None and not matches(retry.retry_on, error):
        return None
    if retry.give_up_on is not None and matches(retry.give_up_on, error):
        return None
    delay = backoff(retry, failures, chance)
    wish = error.get("retry_after")
    if isinstance(wish, int | float):
        delay = max(delay, min(float(wish), 86_400.0))
    return now + delay


def matches(rule: RetryFilter, error: Error) -> bool:
    """Whether any member of the rule names this failure."""
    return (
        error.get("exit_code") in rule.exit_codes
        or error.get("http_status") in rule.http_statuses
        or error.get("type") in rule.errors
    )
