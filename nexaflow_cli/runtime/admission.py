"""The one door: every trigger comes in here, and a run comes out, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nexaflow_cli.engine.state import RunState
from nexaflow_cli.runtime.catalogue import Entry
from nexaflow_cli.runtime.dispatch import Dispatch
from nexaflow_cli.runtime.driver import Batch, Driver, Room
from nexaflow_cli.runtime.ids import IdMaker
from nexaflow_cli.store import runs
from nexaflow_cli.store.runs import RunRow


@dataclass(frozen=True, slots=True)
class Request:
    """A run that somebody or something asks for.

    `inputs` are complete and checked, `event` is what expressions see.
    """

    entry: Entry
    trigger: Mapping[str, Any]
    inputs: Mapping[str, Any]
    event: Mapping[str, Any] | None = None
    path: str | None = None
    request_key: str | None = None


@dataclass(slots=True)
class Admitted:
    """A run within the transaction that makes it; `release` when that is durable."""

    run: RunRow
    driver: Driver | None = None
    batch: Batch | None = None


class Admission:
    """Makes runs. Belongs to the loop; its methods are called inside a transaction."""

    def __init__(self, room: Room, dispatch: Dispatch, ids: IdMaker) -> None:
        self._room = room
        self._dispatch = dispatch
        self._ids = ids

    def submit(self, db: sqlite3.Connection, request: Request) -> Admitted:
        """Create a run, started at once where there is a place and its turn has come.

        Runs for one path of one workflow go one after the other, in the order of their events.
        """
        workflow = request.entry.plan.workflow
        if request.request_key is not None:
            before = runs.by_request(db, workflow.name, request.request_key)
            if before is not None:
                return Admitted(before)
        now = self._room.now()
        lane = None if request.path is None else f"{workflow.name}\n{request.path}"
        at_once = self._dispatch.has_place() and (lane is None or not runs.lane_is_busy(db, lane))
        run = RunRow(
            seq=self._room.store.next_run(),
            id=self._ids.make(now),
            workflow=workflow.name,
            version=request.entry.row.version,
            status="running" if at_once else "queued",
            trigger=dict(request.trigger),
            event=None if request.event is None else dict(request.event),
            inputs=dict(request.inputs),
            path=request.path,
            lane=lane,
            created_at=now,
            started_at=now if at_once else None,
            finished_at=None,
            wake_at=None,
            output=None,
            error=None,
        )
        runs.insert(db, run, request.request_key)
        if not at_once:
            return Admitted(run)
        driver = Driver(self._room, run, new_state(run, request.entry.plan))
        batch = driver.begin(now)
        driver.write(db, batch)
        self._dispatch.take_place(driver)
        return Admitted(run, driver, batch)

    def release(self, admitted: Admitted) -> None:
        """The transaction is durable: let the run go."""
        if admitted.driver is not None and admitted.batch is not None:
            admitted.driver.committed(admitted.batch)
        elif admitted.run.status == "queued":
            self._dispatch.queued()

    def undo(self, admitted: Admitted) -> None:
        """The transaction failed: nothing of the run remains."""
        if admitted.driver is not None:
            self._dispatch.give_back(admitted.driver)
            self._dispatch.queued()  # the place it had is free for who waits


def new_state(run: RunRow, plan: Any) -> RunState:
    """The state of a run before its first fact."""
    return RunState(
        plan,
        run.id,
        event=run.event,
        inputs=run.inputs,
        created_at=run.created_at,
        version=run.version,
    )
