"""Schedules follow crontab(5): checked against a brute force reading of the manual page."""

import itertools
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexaflow_cli.spec.cron import MACROS, parse_cron, parse_timezone

BERLIN = ZoneInfo("Europe/Berlin")


def ticks(text, start, count=5):
    return list(itertools.islice(parse_cron(text).after(start), count))


def shown(text, start, count=5):
    return [tick.strftime("%Y-%m-%d %H:%M %z") for tick in ticks(text, start, count)]


def field(text: str, low: int, high: int) -> set[int]:
    members: set[int] = set()
    for item in text.split(","):
        body, _, step = item.partition("/")
        first, last = (low, high) if body == "*" else (body.split("-") * 2)[:2]
        members.update(range(int(first), int(last) + 1, int(step or 1)))
    return members


def oracle(text: str, start: datetime, until: datetime) -> list[datetime]:
    """Every minute, asked one by one."""
    parts = text.split()
    minutes, hours = field(parts[0], 0, 59), field(parts[1], 0, 23)
    days, months, weekdays = field(parts[2], 1, 31), field(parts[3], 1, 12), field(parts[4], 0, 7)
    weekdays = {day % 7 for day in weekdays}
    either = not parts[2].startswith("*") and not parts[4].startswith("*")
    found = []
    moment = start.replace(second=0, microsecond=0)
    while moment < until:
        moment += timedelta(minutes=1)
        if moment.minute not in minutes or moment.hour not in hours or moment.month not in months:
            continue
        by_day, by_weekday = moment.day in days, moment.isoweekday() % 7 in weekdays
        if (by_day or by_weekday) if either else (by_day and by_weekday):
            found.append(moment)
    return found


def random_field(rng: random.Random, low: int, high: int) -> str:
    def item() -> str:
        a, b = sorted((rng.randint(low, high), rng.randint(low, high)))
        span = f"{a}-{b}"
        return rng.choice(["*", str(a), span, f"{span}/{rng.randint(1, max(1, high - low))}"])

    if rng.random() < 0.4:
        return rng.choice(["*", f"*/{rng.randint(1, high - low)}"])
    return ",".join(item() for _ in range(rng.randint(1, 3)))


@pytest.mark.parametrize("seed", range(300))
def test_agrees_with_brute_force(seed):
    rng = random.Random(seed)
    text = " ".join(
        random_field(rng, low, high) for low, high in ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
    )
    start = datetime(2024, 2, 26, 5, 17, tzinfo=UTC) + timedelta(days=rng.randint(0, 400))
    until = start + timedelta(days=5)
    try:
        schedule = parse_cron(text)
    except ValueError as error:
        assert "never run" in str(error)
        return
    got = list(itertools.takewhile(lambda tick: tick <= until, schedule.after(start)))
    assert got == oracle(text, start, until)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("0 0 * * sun", "0 0 * * 0"),
        ("0 0 * * 7", "0 0 * * 7"),
        ("0 0 * jan-mar MON", "0 0 * 1,2,3 1"),
        ("0 0 * * sat-sun", "0 0 * * 6,7"),
        *MACROS.items(),
        ("  @DAILY ", "0 0 * * *"),
    ],
)
def test_names_and_macros(text, meaning):
    assert parse_cron(text).expression == meaning


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "5 fields"),
        ("* * * *", "5 fields"),
        ("0 * * * * *", "seconds are not part"),
        ("60 * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "day of month"),
        ("* * * 13 *", "month"),
        ("* * * * 8", "day of week"),
        ("* * * * foo", "sun-sat"),
        ("5-1 * * * *", "backwards"),
        ("*/0 * * * *", "at least 1"),
        ("*/90 * * * *", "every"),
        ("5/15 * * * *", "5-59/15"),
        ("0 0 ? * *", "[*] for any"),
        ("0 0 L * *", "day of month"),
        ("0 0 * * 1#2", "day of week"),
        ("0 0 31 2 *", "never run"),
        ("0 0 30 2 *", "never run"),
        ("@reboot", "not a time"),
        ("@dayly", "not one of"),
        ("* * * * " + "1," * 500, "longer"),
        (", * * * *", "minute"),
        ("1- * * * *", "minute"),
        ("٣ * * * *", "minute"),
    ],
)
def test_refuses_with_a_reason(text, word):
    with pytest.raises(ValueError, match=word):
        parse_cron(text)


def test_sunday_is_0_and_7():
    start = datetime(2024, 5, 1, tzinfo=UTC)
    assert {
        tick.isoweekday() for tick in ticks("0 0 * * 0", start) + ticks("0 0 * * 7", start)
    } == {7}


def test_two_restricted_day_fields_are_alternatives():
    assert shown("0 0 13 * fri", datetime(2024, 5, 1, tzinfo=UTC), 4) == [
        "2024-05-03 00:00 +0000",
        "2024-05-10 00:00 +0000",
        "2024-05-13 00:00 +0000",
        "2024-05-17 00:00 +0000",
    ]


def test_a_time_the_clocks_skip_comes_once_right_after_the_gap():
    before = datetime(2024, 3, 30, 12, tzinfo=BERLIN)
    assert shown("0,30 2 * * *", before, 3) == [
        "2024-03-31 03:00 +0200",
        "2024-04-01 02:00 +0200",
        "2024-04-01 02:30 +0200",
    ]


def test_a_time_the_clocks_repeat_comes_once():
    before = datetime(2024, 10, 27, 0, tzinfo=BERLIN)
    assert shown("30 2 * * *", before, 2) == ["2024-10-27 02:30 +0200", "2024-10-28 02:30 +0100"]
    second_pass = datetime(2024, 10, 27, 2, 10, tzinfo=BERLIN, fold=1)
    assert shown("30 2 * * *", second_pass, 1) == ["2024-10-28 02:30 +0100"]


def test_stars_follow_elapsed_time_through_clock_changes():
    before = datetime(2024, 10, 27, 1, 30, tzinfo=BERLIN)
    assert shown("0 * * * *", before, 4) == [
        "2024-10-27 02:00 +0200",
        "2024-10-27 02:00 +0100",
        "2024-10-27 03:00 +0100",
        "2024-10-27 04:00 +0100",
    ]
    assert shown("*/30 * * * *", datetime(2024, 3, 31, 1, 10, tzinfo=BERLIN), 2) == [
        "2024-03-31 01:30 +0100",
        "2024-03-31 03:00 +0200",
    ]


def test_midnight_itself_may_be_skipped():
    cairo = ZoneInfo("Africa/Cairo")
    before = datetime(2024, 4, 25, 12, tzinfo=cairo)
    assert shown("0 0 * * *", before, 2) == ["2024-04-26 01:00 +0300", "2024-04-27 00:00 +0300"]
    assert shown("*/30 0 * * *", before, 1) == ["2024-04-27 00:00 +0300"]


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.timezones()),
    st.sampled_from(
        ["30 2 * * *", "0,15,30 1-3 * * *", "*/20 * * * *", "0 0 1 * 0", "5 */3 * * *"]
    ),
)
def test_ticks_rise_are_later_and_do_not_depend_on_where_one_starts(start, text):
    found = ticks(text, start, 8)
    instants = [tick.astimezone(UTC) for tick in found]
    assert instants == sorted(set(instants))
    assert instants[0] > start.astimezone(UTC)
    assert ticks(text, found[2], 5) == found[3:]
    assert all(tick.tzinfo is start.tzinfo for tick in found)


def test_needs_a_timezone():
    with pytest.raises(ValueError, match="timezone"):
        parse_cron("@daily").after(datetime(2024, 1, 1))


@given(st.text(max_size=60))
def test_any_text_is_a_schedule_or_a_value_error(text):
    try:
        parse_cron(text)
    except ValueError:
        pass


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires"])
def test_timezones(name):
    assert parse_timezone(name).key == name


@pytest.mark.parametrize(
    "name",
    ["", "Europe", "Europe/Berln", "../../etc/passwd", "/etc/passwd", "UTC\n", "x" * 999, "a//b"],
)
def test_no_timezones(name):
    with pytest.raises(ValueError, match="timezone"):
        parse_timezone(name)
