"""Durations are written for people and read without surprises."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexaflow_cli.spec.durations import MAX_SECONDS, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0),
        ("250ms", 0.25),
        ("30s", 30),
        ("5m", 300),
        ("1h30m", 5400),
        ("1d", 86400),
        ("2w", 1209600),
        ("1d2h3m4s5ms", 93784.005),
        ("1.5h", 5400),
        (" 10s ", 10),
        ("15", 15),
        (15, 15),
        (1.5, 1.5),
    ],
)
def test_reads(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "5 minutes",
        "10x",
        "-5s",
        "5m1h",
        "1s1s",
        "1h 30m",
        "h",
        "1.h",
        "1e3",
        "٣s",
        "9" * 99,
        *(-1, math.nan, math.inf, -math.inf, True, None, [], 10**400),
        *("4000d", MAX_SECONDS * 2),
    ],
)
def test_refuses(text):
    with pytest.raises(ValueError, match=r"duration|units"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.25, "250ms"), (1.5, "1s500ms"), (5400, "1h30m"), (864000, "10d"), (-5, "-5s")],
)
def test_writes(seconds, text):
    assert format_duration(seconds) == text


@given(st.integers(0, int(MAX_SECONDS) * 1000))
def test_what_is_written_reads_the_same(milliseconds):
    assert parse_duration(format_duration(milliseconds / 1000)) * 1000 == pytest.approx(
        milliseconds
    )


@given(st.text())
def test_any_text_gives_seconds_or_value_error(text):
    try:
        assert 0 <= parse_duration(text) <= MAX_SECONDS
    except ValueError:
        pass
