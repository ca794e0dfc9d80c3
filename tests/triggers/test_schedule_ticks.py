"""Ticks: the same moments whoever asks, whenever; clock changes as crontab users know them."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexaflow_cli.spec.model import ScheduleTrigger
from nexaflow_cli.triggers.ticks import due_between, next_tick, ticks_after

BERLIN = "Europe/Berlin"
NEW_YORK = "America/New_York"


def at(text: str, zone: str | None = None) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone) if zone else UTC)


@pytest.mark.parametrize(
    ("every", "after", "expected"),
    [
        (900.0, "2026-11-21T20:07:00", ["20:15:00", "20:30:00", "20:45:00"]),
        (900.0, "2026-11-21T20:15:00", ["20:30:00", "20:45:00"]),
        (3600.0, "2026-11-21T20:59:59.999999", ["21:00:00", "22:00:00"]),
        (86400.0, "2026-11-21T20:00:00", ["00:00:00", "00:00:00"]),
        (0.25, "2026-11-21T20:00:00.1", ["20:00:00.250000", "20:00:00.500000"]),
        (7.0, "1970-01-01T00:00:00", ["00:00:07", "00:00:14"]),
        (60.0, "1969-12-31T23:58:30", ["23:59:00", "00:00:00"]),
    ],
)
def test_an_interval_is_aligned_to_the_epoch(every: float, after: str, expected: list[str]) -> None:
    ticks = islice(ticks_after(ScheduleTrigger(every=every), at(after)), len(expected))
    assert [tick.time().isoformat() for tick in ticks] == expected


def test_an_interval_takes_no_notice_of_timezones() -> None:
    trigger = ScheduleTrigger(every=6 * 3600.0, timezone=BERLIN)
    day = list(due_between(trigger, at("2026-03-29T00:00", BERLIN), at("2026-03-30T00:00", BERLIN)))
    assert {b - a for a, b in pairwise(day)} == {timedelta(hours=6)}
    assert all(tick.tzinfo is UTC for tick in day)


@pytest.mark.parametrize(
    ("cron", "zone", "after", "until", "expected"),
    [
        pytest.param(
            "0 0 * * 0",
            None,
            "2026-11-20T00:00",
            "2026-12-01T00:00",
            ["2026-11-22T00:00:00+00:00", "2026-11-29T00:00:00+00:00"],
            id="sunday is 0",
        ),
        pytest.param(
            "0 0 13 * 5",
            None,
            "2026-11-01T00:00",
            "2026-11-16T00:00",
            ["2026-11-06T00:00:00+00:00", "2026-11-13T00:00:00+00:00"],
            id="either day field",
        ),
        pytest.param(
            "30 2 * * *",
            BERLIN,
            "2026-03-28T12:00",
            "2026-03-30T12:00",
            ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"],
            id="a skipped time",
        ),
        pytest.param(
            "30 2 * * *",
            BERLIN,
            "2026-10-24T12:00",
            "2026-10-26T12:00",
            ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"],
            id="a repeated time",
        ),
        pytest.param(
            "30 * * * *",
            BERLIN,
            "2026-10-25T00:59",
            "2026-10-25T03:00",
            [
                "2026-10-25T01:30:00+02:00",
                "2026-10-25T02:30:00+02:00",
                "2026-10-25T02:30:00+01:00",
            ],
            id="every hour that passes",
        ),
        pytest.param(
            "0 9 * * *",
            NEW_YORK,
            "2026-03-07T12:00",
            "2026-03-09T12:00",
            ["2026-03-08T09:00:00-04:00", "2026-03-09T09:00:00-04:00"],
            id="by the clock on the wall",
        ),
        pytest.param("0 0 1 1 *", None, "2026-02-01T00:00", "2026-12-31T00:00", [], id="none"),
        pytest.param(
            "@daily",
            None,
            "2026-11-21T00:00",
            "2026-11-22T00:00",
            ["2026-11-22T00:00:00+00:00"],
            id="after is out, until is in",
        ),
    ],
)
def test_crontab_lines(
    cron: str, zone: str | None, after: str, until: str, expected: list[str]
) -> None:
    trigger = ScheduleTrigger(cron=cron, timezone=zone)
    found = due_between(trigger, at(after, zone), at(until, zone))
    assert [tick.isoformat() for tick in found] == expected


def test_the_end_is_found_in_the_hour_that_comes_twice() -> None:
    trigger = ScheduleTrigger(cron="*/30 * * * *", timezone=BERLIN)
    start = at("2026-10-25T00:00:00")  # 02:00 summer time
    found = list(due_between(trigger, start, at("2026-10-25T01:15:00")))
    assert [tick.isoformat() for tick in found] == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:00:00+01:00",
    ]


@pytest.mark.parametrize(
    "trigger",
    [
        ScheduleTrigger(),
        ScheduleTrigger(every=0.0),
        ScheduleTrigger(every=-5.0),
        ScheduleTrigger(cron="61 * * * *"),
        ScheduleTrigger(cron="* * * * *", timezone="Mars/Olympus"),
    ],
)
def test_a_malformed_schedule_says_so_before_the_first_tick(trigger: ScheduleTrigger) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        ticks_after(trigger, at("2026-11-21T20:00"))


def test_the_calendar_ends() -> None:
    assert next_tick(ScheduleTrigger(every=86400.0), at("9999-12-31T23:00")) is None
    assert next_tick(ScheduleTrigger(cron="0 0 1 1 *"), at("9999-06-01T00:00")) is None


triggers = st.sampled_from(
    [
        ScheduleTrigger(cron="*/7 * * * *", timezone=BERLIN),
        ScheduleTrigger(cron="30 2 * * *", timezone=BERLIN),
        ScheduleTrigger(cron="15 1-3 * * *", timezone=NEW_YORK),
        ScheduleTrigger(cron="0 */5 * * 1-5"),
        ScheduleTrigger(every=4321.0),
    ]
)
around_changes = st.sampled_from(["2026-03-28T20:00", "2026-10-24T20:00", "2026-10-31T20:00"])
cuts = st.lists(st.floats(0, 48 * 3600), min_size=1, max_size=5)


@settings(deadline=None)
@given(triggers, around_changes, cuts)
def test_asking_in_parts_gives_the_whole(
    trigger: ScheduleTrigger, start: str, offsets: list[float]
) -> None:
    begin = at(start)
    moments = [begin, *sorted(begin + timedelta(seconds=offset) for offset in offsets)]
    whole = list(due_between(trigger, moments[0], moments[-1]))
    parts = [tick for low, high in pairwise(moments) for tick in due_between(trigger, low, high)]
    instants = [tick.timestamp() for tick in whole]
    assert [tick.timestamp() for tick in parts] == instants
    assert instants == sorted(set(instants))
