"""Moments, spans and sizes as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from nexaflow_cli.cli import times

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "now"),
        (0.9, "now"),
        (5, "5s ago"),
        (59, "59s ago"),
        (180, "3m ago"),
        (3599, "59m ago"),
        (7300, "2h ago"),
        (86400 * 3, "3d ago"),
        (-90, "in 1m"),
        (-7200, "in 2h"),
    ],
)
def test_distance_from_now(seconds: float, shown: str) -> None:
    assert times.ago(NOW - timedelta(seconds=seconds), NOW) == shown


def test_what_is_over_a_week_away_is_a_date() -> None:
    assert times.ago(NOW - timedelta(days=20), NOW).startswith("2026-11-01")


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (0, "0ms"),
        (850, "850ms"),
        (999.4, "999ms"),
        (1200, "1.2s"),
        (59_940, "59.9s"),
        (59_960, "1m"),
        (185_000, "3m 5s"),
        (7_800_000, "2h 10m"),
        (7_200_000, "2h"),
        (90_000_000, "1d 1h"),
    ],
)
def test_spans_in_their_two_largest_units(milliseconds: float, shown: str) -> None:
    assert times.duration(milliseconds) == shown


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 40, "5.0 TiB")]
)
def test_sizes(count: int, shown: str) -> None:
    assert times.size(count) == shown


@pytest.mark.parametrize("text", ["", None, 3, "yesterday"])
def test_what_is_no_time_is_none(text: object) -> None:
    assert times.parse(text) is None


def test_api_times_are_read() -> None:
    assert times.parse("2026-11-21T12:00:00.000Z") == NOW
