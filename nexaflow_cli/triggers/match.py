"""Which triggers an event concerns, found without asking each of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nexaflow_cli.spec.expressions import Condition, ExpressionError, compile_condition
from nexaflow_cli.spec.model import EventTrigger
from nexaflow_cli.spec.patterns import Pattern, compile_pattern

_MAGIC = frozenset("*?[]{}\\")


class Hit(NamedTuple):
    """A trigger, by the name of its workflow and its index in the list of triggers there."""

    workflow: str
    trigger: int


class Failure(NamedTuple):
    """A trigger whose condition could not be told."""

    workflow: str
    trigger: int
    error: ExpressionError


@dataclass(frozen=True, slots=True)
class Matches:
    """What an event means for the triggers, each list ordered by workflow and index.

    `hits` start a run. `failures` might have; the error says why nobody knows. `own` would have,
    but the event is the doing of that same workflow.
    """

    hits: list[Hit] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    own: list[Hit] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Entry:
    hit: Hit
    trigger: EventTrigger
    pattern: Pattern | None
    condition: Condition | ExpressionError | None


_Place = tuple[str, str, str]
"""Event type, literal folder every matching path begins with, literal extension it ends in."""


class TriggerIndex:
    """The event triggers of all active workflows.

    An event is compared only with triggers of its type whose pattern begins with one of the
    folders its path lies in, and ends in its extension or in none in particular.
    """

    def __init__(self) -> None:
        self._entries: dict[_Place, dict[Hit, _Entry]] = {}
        self._places: dict[str, list[tuple[_Place, Hit]]] = {}

    def set(self, workflow: str, triggers: Iterable[tuple[int, EventTrigger]]) -> None:
        """Replace the triggers of a workflow.

        Raises:
            ValueError: a pattern is malformed; the triggers are as they were.
        """
        entries = [_entry(Hit(workflow, index), trigger) for index, trigger in triggers]
        self.remove(workflow)
        for entry in entries:
            for place in _places(entry):
                self._entries.setdefault(place, {})[entry.hit] = entry
                self._places.setdefault(workflow, []).append((place, entry.hit))

    def remove(self, workflow: str) -> None:
        """Forget the triggers of a workflow; one that has none is no error."""
        for place, hit in self._places.pop(workflow, ()):
            there = self._entries[place]
            del there[hit]
            if not there:
                del self._entries[place]

    def match(self, event: Mapping[str, Any], caused_by: Collection[str] = ()) -> Matches:
        """The triggers that an event concerns.

        Args:
            event: as expressions see it, with `type`, and `path` if it is about a file.
            caused_by: workflows whose runs made it happen: they do not start themselves again,
                unless the trigger is recursive.
        """
        found = Matches()
        path = event.get("path")
        for entry in self._candidates(str(event["type"]), path):
            if entry.pattern is not None and not entry.pattern.match(path or ""):
                continue
            hit = entry.hit
            try:
                if not _holds(entry.condition, event, hit.workflow):
                    continue
            except ExpressionError as error:
                found.failures.append(Failure(*hit, error))
                continue
            is_own = hit.workflow in caused_by and not entry.trigger.recursive
            (found.own if is_own else found.hits).append(hit)
        found.hits.sort()
        found.own.sort()
        found.failures.sort(key=lambda failure: failure[:2])
        return found

    def _candidates(self, type_: str, path: str | None) -> Iterator[_Entry]:
        folders, extensions = ["", *_folders(path)], {"", _extension(path or "")}
        for folder in folders:
            for extension in extensions:
                yield from self._entries.get((type_, folder, extension), {}).values()


def _entry(hit: Hit, trigger: EventTrigger) -> _Entry:
    pattern = None if trigger.pattern is None else compile_pattern(trigger.pattern)
    condition: Condition | ExpressionError | None = None
    if trigger.condition is not None:
        try:
            condition = compile_condition(trigger.condition)
        except ExpressionError as error:
            condition = error
    return _Entry(hit, trigger, pattern, condition)


def _holds(
    condition: Condition | ExpressionError | None, event: Mapping[str, Any], workflow: str
) -> bool:
    if condition is None:
        return True
    if isinstance(condition, ExpressionError):
        raise condition
    return condition.holds({"event": event, "workflow": {"name": workflow}})


def _places(entry: _Entry) -> Iterator[_Place]:
    """Where an entry must be filed so that every event it matches finds it, once."""
    pattern = entry.pattern
    if pattern is None:
        yield entry.trigger.event, "", ""
        return
    for extension in _extensions(pattern.text):
        yield entry.trigger.event, pattern.prefix, extension


def _extensions(pattern: str) -> set[str]:
    """The extensions that a matching path can have; the empty one stands for any."""
    stem, dot, tail = pattern.rpartition(".")
    if not dot or "\\" in pattern or "[" in pattern:
        return {""}
    is_group = tail.startswith("{") and tail.endswith("}")
    choices = set(tail[1:-1].split(",")) if is_group else {tail}
    plain = all(
        choice and "/" not in choice and not _MAGIC.intersection(choice) for choice in choices
    )
    # A group that is open around the dot ends in another alternative somewhere else.
    return choices if plain and stem.count("{") == stem.count("}") else {""}


def _extension(path: str) -> str:
    name = path[path.rfind("/") + 1 :]
    return name.rpartition(".")[2] if "." in name else ""


def _folders(path: str | None) -> Iterator[str]:
    """Each folder a path lies in, ending in a slash, from the root on."""
    if path is None:
        return
    end = path.find("/")
    while end >= 0:
        yield path[: end + 1]
        end = path.find("/", end + 1)
