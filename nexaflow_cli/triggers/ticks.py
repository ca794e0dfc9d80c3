"""PURE: the moments at which a schedule ticks. The same question always has the same answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import takewhile

from nexaflow_cli.spec.cron import parse_cron, parse_timezone
from nexaflow_cli.spec.model import ScheduleTrigger

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def zone_of(trigger: ScheduleTrigger) -> tzinfo:
    """The timezone a schedule is read in: its own, or UTC, which is the same on every machine.

    Raises:
        ValueError: no such timezone is known.
    """
    return parse_timezone(trigger.timezone) if trigger.timezone else UTC


def ticks_after(trigger: ScheduleTrigger, moment: datetime) -> Iterator[datetime]:
    """Every tick later than an aware moment, in order, without end.

    Ticks of a crontab line are in the schedule's timezone. Those of `every` are counted from
    the beginning of 1970 in UTC, so that they fall on the same moments after any restart:
    `every: 15m` ticks at each quarter of an hour.

    Raises:
        ValueError: the crontab line, the timezone or the interval is wrong.
    """
    if trigger.cron is not None:
        return parse_cron(trigger.cron).after(moment.astimezone(zone_of(trigger)))
    if trigger.every is None:
        raise ValueError("a schedule needs a crontab line or an interval")
    step = round(trigger.every * 1_000_000)
    if step < 1:
        raise ValueError("the interval of a schedule must be longer than nothing")
    return _aligned(step, moment)


def next_tick(trigger: ScheduleTrigger, moment: datetime) -> datetime | None:
    """The first tick later than an aware moment; None if the calendar ends before it."""
    return next(ticks_after(trigger, moment), None)


def due_between(trigger: ScheduleTrigger, after: datetime, until: datetime) -> Iterator[datetime]:
    """The ticks later than `after` and not later than `until`, both aware moments, in order."""
    # Two datetimes of one zone compare by what their clocks show, which goes back in autumn.
    limit = until.astimezone(UTC)
    return takewhile(lambda tick: tick.astimezone(UTC) <= limit, ticks_after(trigger, after))


def _aligned(step: int, moment: datetime) -> Iterator[datetime]:
    count = (moment - _EPOCH) // _MICROSECOND // step
    while True:
        count += 1
        try:
            yield _EPOCH + timedelta(microseconds=count * step)
        except OverflowError:  # the calendar ends in the year 9999
            return
