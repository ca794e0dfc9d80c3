"""Schedules in crontab(5), with Debian cron's reading of day fields and clock changes."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}

_DAYS = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
_MONTHS = {
    **{"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6},
    **{"jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12},
}


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    names: dict[str, int]

    @property
    def bounds(self) -> str:
        numbers = f"{self.low}-{self.high}"
        names = list(self.names)
        return f"{numbers} or {names[0]}-{names[-1]}" if names else numbers


_FIELDS = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of month", 1, 31, {}),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 7, _DAYS),
)
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ITEM = re.compile(r"(?:(\*)|([0-9a-z]+)(?:-([0-9a-z]+))?)(?:/([0-9]+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class CronSchedule:
    """A parsed crontab line.

    Args:
        text: the line as written.
        expression: five numeric fields, what a macro or names stand for.
    """

    text: str
    expression: str
    _minutes: frozenset[int]
    _hours: frozenset[int]

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Yield the ticks later than `moment`, each once, in the timezone of `moment`.

        A tick at a fixed time that a clock change skips comes right after the gap; one that the
        change repeats comes once. Ticks of a `*` minute or hour follow the elapsed time.

        Raises:
            ValueError: `moment` has no timezone.
        """
        if moment.tzinfo is None:
            raise ValueError("the moment to start from needs a timezone")
        return self._ticks(moment)

    def _ticks(self, moment: datetime) -> Iterator[datetime]:
        from cronsim import CronSim

        zone = moment.tzinfo
        last = moment.astimezone(UTC)
        minute, hour = self.expression.split()[:2]
        floating = minute.startswith("*") or hour.startswith("*")
        try:
            for tick in CronSim(self.expression, moment):
                instant = tick.astimezone(UTC)
                # Two fixed times inside one gap are one tick, and the naive arithmetic may step
                # back into the first of two repeated hours.
                if instant <= last:
                    continue
                local = instant.astimezone(zone)
                if floating and not self._has(local):
                    continue  # midnight itself fell into a gap
                last = instant
                yield local
        except OverflowError:  # the calendar ends in the year 9999
            return

    def _has(self, local: datetime) -> bool:
        return local.minute in self._minutes and local.hour in self._hours


@functools.lru_cache(maxsize=4096)
def parse_cron(text: str) -> CronSchedule:
    """Read a crontab(5) line: minute, hour, day of month, month, day of week; or `@daily` etc.

    Sunday is 0 and 7. When neither day field begins with `*`, either one matching is enough.

    Raises:
        ValueError: the line is malformed, or no date can ever match it.
    """
    if len(text) > 512:
        raise ValueError("the schedule is longer than 512 characters")
    line = text.strip()
    if line.startswith("@"):
        line = _macro(line)
    parts = line.lower().split()
    if len(parts) != 5:
        extra = " (seconds are not part of crontab)" if len(parts) == 6 else ""
        raise ValueError(
            f"a schedule has 5 fields, minute hour day month weekday; this has {len(parts)}{extra}"
        )
    sets = [_parse_field(field, part) for field, part in zip(_FIELDS, parts, strict=True)]
    minutes, hours, days, months, _ = sets
    either = not (parts[2].startswith("*") or parts[4].startswith("*"))
    if not either and min(days) > max(_LONGEST[month - 1] for month in months):
        raise ValueError(f"no month of this schedule has a day {min(days)}, so it would never run")
    # Numbers, not names, go on: `sat-sun` is 6-7 here and an error elsewhere.
    fields = [
        part if part.startswith("*") else ",".join(map(str, sorted(members)))
        for part, members in zip(parts, sets, strict=True)
    ]
    return CronSchedule(text, " ".join(fields), frozenset(minutes), frozenset(hours))


def _macro(line: str) -> str:
    expanded = MACROS.get(line.lower())
    if expanded is None:
        if line.lower() == "@reboot":
            raise ValueError("@reboot is not a time; a schedule needs one, such as @daily")
        raise ValueError(f"`{line}` is not one of {', '.join(MACROS)}")
    return expanded


def _parse_field(field: _Field, text: str) -> set[int]:
    members: set[int] = set()
    for item in text.split(","):
        members |= _parse_item(field, item)
    return members


def _parse_item(field: _Field, item: str) -> set[int]:
    bounds = field.bounds
    match = _ITEM.fullmatch(item)
    if match is None:
        hint = "; write * for any" if item == "?" else ""
        raise ValueError(
            f"`{item}` is not a {field.name}: use {bounds}, *, a-b, lists or /step{hint}"
        )
    star, first, second, step_text = match.groups()
    step = int(step_text) if step_text and len(step_text) < 4 else (10_000 if step_text else 1)
    if star:
        low, high = field.low, field.high
    else:
        low = _number(field, first)
        high = low if second is None else _number(field, second)
        if field.names is _DAYS and second is not None and high == 0:
            high = 7  # a range up to Sunday
        if high < low:
            raise ValueError(f"`{item}` of {field.name} runs backwards; write two ranges")
        if step_text and second is None:
            raise ValueError(f"`{item}` of {field.name}: write {low}-{field.high}/{step_text}")
    if step == 0:
        raise ValueError(f"`{item}` of {field.name}: a step is at least 1")
    if step > field.high - field.low:
        raise ValueError(
            f"`{item}` of {field.name}: the step is larger than {bounds}; "
            "for a fixed interval use `every`"
        )
    return set(range(low, high + 1, step))


def _number(field: _Field, text: str) -> int:
    if text in field.names:
        return field.names[text]
    if not text.isdigit() or len(text) > 4 or not field.low <= int(text) <= field.high:
        raise ValueError(f"`{text}` is not a {field.name}: use {field.bounds}")
    return int(text)


@functools.lru_cache(maxsize=1024)
def parse_timezone(name: str) -> ZoneInfo:
    """The timezone of that IANA name, such as `Europe/Berlin`.

    Raises:
        ValueError: no such timezone is known here.
    """
    from zoneinfo import ZoneInfo

    try:
        if not re.fullmatch(r"[A-Za-z0-9+_-]+(?:/[A-Za-z0-9+_-]+)*", name, re.ASCII):
            raise ValueError(name)
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(f"`{name[:64]}` is not a timezone; use an IANA name") from None
