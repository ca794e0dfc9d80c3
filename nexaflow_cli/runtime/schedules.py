"""Schedule ticks come in: each is put on record with what came of it, and runs once."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from nexaflow_cli.errors import InvalidError, NexaflowError
from nexaflow_cli.runtime.admission import Admission, Admitted, Request
from nexaflow_cli.runtime.catalogue import Catalogue, Entry
from nexaflow_cli.runtime.intake import Intake
from nexaflow_cli.runtime.times import iso
from nexaflow_cli.spec.expressions import ExpressionError, compile_condition
from nexaflow_cli.spec.model import ScheduleTrigger
from nexaflow_cli.store import events
from nexaflow_cli.triggers.schedule import Scheduler

logger = logging.getLogger(__name__)


class Schedules:
    """Belongs to the loop."""

    def __init__(
        self,
        catalogue: Catalogue,
        admission: Admission,
        intake: Intake,
        now: Callable[[], float],
    ) -> None:
        self._catalogue = catalogue
        self._admission = admission
        self._intake = intake
        self._clock = Scheduler(self._tick, now=lambda: datetime.fromtimestamp(now(), UTC))
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._clock.start()

    async def stop(self) -> None:
        self._clock.stop()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def refresh(self, name: str) -> None:
        """Follow the schedules that this workflow has now."""
        self._clock.remove(name)
        entry = self._catalogue.current.get(name)
        if entry is not None:
            for number, trigger in enumerate(entry.plan.workflow.triggers):
                if isinstance(trigger, ScheduleTrigger):
                    self._clock.set(name, number, trigger)

    def _tick(self, name: str, number: int, due: datetime) -> None:
        task = asyncio.get_running_loop().create_task(self._take(name, number, due))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(self, name: str, number: int, due: datetime) -> None:
        try:
            await self._intake.transact(lambda db, made: self._admit(db, made, name, number, due))
        except NexaflowError as error:
            logger.error("the tick of %s at %s was not recorded: %s", name, due, error)
        except Exception:
            logger.exception("the tick of %s at %s was not recorded", name, due)

    def _admit(
        self, db: sqlite3.Connection, made: list[Admitted], name: str, number: int, due: datetime
    ) -> None:
        entry = self._catalogue.current.get(name)
        at = due.timestamp()
        if entry is None or events.tick_is_known(db, name, number, at):
            return
        event = {"type": "schedule", "time": iso(at), "trigger": number}
        reason = _reason_to_skip(entry, number, event)
        run: str | None = None
        if reason is None:
            trigger = {"type": "schedule", "due": iso(at), "trigger": number}
            inputs = entry.inputs.complete({})
            admitted = self._admission.submit(db, Request(entry, trigger, inputs, event=event))
            made.append(admitted)
            run = admitted.run.id
        outcome = "ran" if run is not None else "skipped"
        events.record_tick(db, name, number, at, outcome, reason or "on time", run)


def _reason_to_skip(entry: Entry, number: int, event: Mapping[str, object]) -> str | None:
    if entry.row.status != "active":
        return "the workflow is paused"
    try:
        entry.inputs.complete({})
    except InvalidError as error:
        return error.message
    trigger = entry.plan.workflow.triggers[number]
    if trigger.condition is None:
        return None
    try:
        scope = {"event": event, "workflow": {"name": entry.plan.workflow.name}}
        holds = compile_condition(trigger.condition).holds(scope)
    except ExpressionError as error:
        return f"its condition cannot be computed: {error}"
    return None if holds else "its condition is false"
