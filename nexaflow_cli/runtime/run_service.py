"""Runs as clients handle them: start, list, look into, cancel, pause."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from nexaflow_cli.engine import facts as f
from nexaflow_cli.engine.transitions import OPEN_RUN, RunStatus
from nexaflow_cli.errors import ConflictError, NexaflowError, NotFoundError, UsageError
from nexaflow_cli.runtime import shapes, timeline
from nexaflow_cli.runtime.admission import Admission, Admitted, Request
from nexaflow_cli.runtime.catalogue import Catalogue
from nexaflow_cli.runtime.dispatch import Dispatch
from nexaflow_cli.runtime.driver import Driver, Room
from nexaflow_cli.runtime.logs import RunLogs
from nexaflow_cli.runtime.pages import Page, number, page
from nexaflow_cli.store import runs
from nexaflow_cli.store.runs import RunRow

Shape = dict[str, Any]


class RunService:
    """Every change answers once it is durable."""

    def __init__(
        self,
        room: Room,
        catalogue: Catalogue,
        dispatch: Dispatch,
        admission: Admission,
        logs: RunLogs,
    ) -> None:
        self._room = room
        self._catalogue = catalogue
        self._dispatch = dispatch
        self._admission = admission
        self._logs = logs

    async def start(
        self,
        workflow: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
        by: str = "",
    ) -> Shape:
        """Start a run by hand.

        Args:
            idempotency_key: the same key for the same workflow answers with the first run.

        Raises:
            NotFoundError: no such workflow.
            InvalidError: the inputs do not fit.
        """
        entry = self._catalogue.get(workflow)
        trigger = {"type": "manual", "by": by}
        complete = entry.inputs.complete(inputs or {})
        request = Request(entry, trigger, complete, request_key=idempotency_key)
        made: list[Admitted] = []

        def work(db: sqlite3.Connection) -> Admitted:
            made.append(self._admission.submit(db, request))
            return made[0]

        def settled(error: BaseException | None) -> None:
            for one in made:
                if error is None:
                    self._admission.release(one)
                else:
                    self._admission.undo(one)

        admitted = await self._room.store.writer.run(work, settled, atomic=False)
        return shapes.run(admitted.run)

    async def get(self, run_id: str) -> Shape:
        """A run with its steps.

        Raises:
            NotFoundError: there is no such run.
        """

        def query(db: sqlite3.Connection) -> tuple[RunRow, list[f.Fact]]:
            row = self._row(db, run_id)
            return row, list(_readable(runs.journal(db, row.seq)))

        row, facts = await self._room.store.read(query)
        try:
            plan = self._catalogue.plan(self._room.store.reader, row.workflow, row.version)
        except NexaflowError:
            plan = None  # a definition that is refused today still has its history
        shape = shapes.run(row)
        shape["event"] = row.event
        shape["steps"] = await asyncio.to_thread(timeline.steps, plan, facts)
        shape["cancel_requested"] = any(isinstance(x, f.RunCancelRequested) for x in facts)
        return shape

    async def must_exist(self, run_id: str) -> None:
        """Raises:
        NotFoundError: there is no such run.
        """
        await self._room.store.read(lambda db: self._row(db, run_id))

    async def cancel(self, run_id: str, reason: str = "", by: str = "") -> Shape:
        """Stop what runs, start nothing more but `on_cancel` and `finally`."""
        text = reason or (f"cancelled by {by}" if by else "cancelled")
        return await self._tell(run_id, f.RunCancelRequested(self._room.now(), by, text))

    async def pause(self, run_id: str, by: str = "") -> Shape:
        """Start no more steps; those that run come to their end."""
        driver = self._dispatch.open(run_id)
        if driver.state.status is RunStatus.PAUSED:
            driver.advance()
            return await self.get(run_id)
        return await self._tell(run_id, f.RunPaused(self._room.now(), by))

    async def resume(self, run_id: str, by: str = "") -> Shape:
        driver = self._dispatch.open(run_id)
        if driver.state.status is not RunStatus.PAUSED:
            driver.advance()
            raise ConflictError(f"run {run_id} is not paused: it is {driver.state.status}")
        return await self._tell(run_id, f.RunResumed(self._room.now(), by))

    async def logs(
        self, run_id: str, step: str | None = None, after: int = 0, limit: int = 1000
    ) -> Shape:
        """What the steps of a run printed, from entry `after` on."""
        row = await self._room.store.read(lambda db: self._row(db, run_id))
        items, following = await asyncio.to_thread(
            lambda: self._logs.read(run_id, step=step, after=after, limit=limit)
        )
        done = following is None and row.status not in OPEN_RUN
        return {"items": items, "next": following, "done": done}

    def _row(self, db: sqlite3.Connection, run_id: str) -> RunRow:
        row = runs.by_id(db, run_id)
        if row is None:
            raise NotFoundError(
                f"there is no run {run_id!r}", hint="`nexaflow runs list` shows the newest"
            )
        return row

    async def _tell(self, run_id: str, fact: f.Fact) -> Shape:
        driver = self._dispatch.open(run_id)
        if driver.state.ended:
            raise ConflictError(f"run {run_id} has ended already: {driver.state.status}")
        await _recorded(driver, fact)
        return await self.get(run_id)

    async def list(
        self,
        workflow: str | None = None,
        status: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        """Runs from the newest on.

        Raises:
            UsageError: no run can have such a status.
            NotFoundError: there is and was no such workflow.
        """
        if status is not None and status not in list(RunStatus):
            raise UsageError(
                f"{status!r} is not a status of a run", hint=f"one of: {', '.join(RunStatus)}"
            )
        before = number(cursor)
        rows = await self._room.store.read(
            lambda db: runs.page(
                db, workflow=workflow, status=status, before=before, limit=limit + 1
            )
        )
        return page(rows, limit, shapes.run, lambda row: row.seq)


def _readable(journal: Iterable[tuple[int, str, bytes]]) -> Iterator[f.Fact]:
    for _, kind, data in journal:
        try:
            yield f.from_data(kind, orjson.loads(data))
        except ValueError:
            continue  # of a newer version, or damaged: the others still tell what was


async def _recorded(driver: Driver, fact: f.Fact) -> None:
    """Record a fact and wait until it is durable."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def told(error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)

    driver.when_durable(told, fact)
    await future
