"""Which runs are active: queued ones get a place in their turn, parked ones wake in time."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from dataclasses import replace

import orjson

from nexaflow_cli.engine import facts as f
from nexaflow_cli.engine.fold import replay
from nexaflow_cli.engine.state import RunState
from nexaflow_cli.errors import ConflictError, NexaflowError, NotFoundError, UnavailableError
from nexaflow_cli.runtime.catalogue import Catalogue
from nexaflow_cli.runtime.driver import Driver, Room
from nexaflow_cli.store import runs
from nexaflow_cli.store.runs import RunRow

logger = logging.getLogger(__name__)

_AGAIN = 1.0
_WAKE_AT_ONCE = 500
_WAKE_PAUSE = 0.05
_LONGEST_SLEEP = 30.0


class Dispatch:
    """Keeps the drivers of active runs. What is queued or parked is in the database alone."""

    def __init__(self, catalogue: Catalogue, max_active: int) -> None:
        self._catalogue = catalogue
        self._max_active = max_active
        self.room: Room
        self.active: dict[str, Driver] = {}
        self.starting = True
        self._backlog = True
        self._filling = False
        self._freed: set[str] = set()
        self._refusing: set[str] = set()
        self._wake: asyncio.TimerHandle | None = None
        self._wake_at: float | None = None
        self._overdue = False

    # Places.

    def has_place(self) -> bool:
        """Whether a new run may start at once, passing nobody who waits."""
        return self.starting and not self._backlog and len(self.active) < self._max_active

    def take_place(self, driver: Driver) -> None:
        self.active[driver.run.id] = driver

    def give_back(self, driver: Driver) -> None:
        driver.drop()
        self.active.pop(driver.run.id, None)

    def queued(self) -> None:
        """A run was queued, or a place came free."""
        self._backlog = True
        self._schedule_fill()

    # What drivers tell (the `Keeper` of `driver`).

    def ended(self, driver: Driver) -> None:
        self.active.pop(driver.run.id, None)
        if self._overdue:
            self._schedule_fill()
        if self._backlog:
            self.queued()
        elif driver.run.lane is not None:
            # Only who waits in this lane: the others that wait do so for lanes of their own.
            self._freed.add(driver.run.lane)
            self._schedule_fill()

    def idle(self, driver: Driver, wake_at: float | None) -> None:
        """Park a run that has nothing to do until `wake_at`, or until somebody acts on it."""
        self.active.pop(driver.run.id, None)
        self._park(driver, wake_at)

    def _park(self, driver: Driver, wake_at: float | None) -> None:
        run = driver.run
        if run.id in self.active:
            return  # somebody has opened it since
        status = "paused" if driver.state.status == "paused" else "waiting"
        if driver.state.status == "queued":
            status = "queued"
        wake = wake_at if status != "queued" else None
        try:
            self.room.store.writer.submit(
                lambda db: runs.set_status(db, run.seq, status, wake),
                lambda _, error: self._parked(driver, wake, error),
            )
        except UnavailableError:
            pass  # the process is about to end; the journal says where the run is

    def _parked(self, driver: Driver, wake_at: float | None, error: BaseException | None) -> None:
        if error is not None:
            logger.error("run %s cannot be parked, trying again: %s", driver.run.id, error)
            asyncio.get_running_loop().call_later(_AGAIN, self._park, driver, wake_at)
            return
        self._set_wake(wake_at)
        if self._overdue:
            self._schedule_fill()
        if self._backlog or driver.state.status == "queued":
            self.queued()

    # The queue.

    def _schedule_fill(self) -> None:
        if not self._filling and self.starting:
            self._filling = True
            asyncio.get_running_loop().call_soon(self._fill)

    def _fill(self) -> None:
        """Give free places to the oldest queued runs whose lane is free."""
        self._filling = False
        freed, self._freed = self._freed, set()
        if self._overdue:
            self._wake_due()
        room = self._max_active - len(self.active)
        if room <= 0 or not self.starting:
            self._backlog = True
            return
        db = self.room.store.reader
        if self._backlog:
            most = room + len(self.active) + len(self._refusing)
            first = runs.next_queued(db, 0, most)
            self._backlog = len(first) == most  # there may be more whose turn it is
        else:
            first = runs.first_in_lanes(db, freed)
        found = [r for r in first if r.id not in self.active and r.id not in self._refusing]
        if len(found) > room:
            self._backlog = True
        for run in found[:room]:
            self._start(run)

    def _start(self, run: RunRow) -> None:
        now = self.room.now()
        try:
            driver = self.revive(replace(run, status="running", started_at=now))
        except NexaflowError as error:
            self._refuse(run, error)
            return
        batch = driver.begin(now)

        def flown(_: object, error: BaseException | None) -> None:
            if error is not None:
                self.give_back(driver)
                asyncio.get_running_loop().call_later(_AGAIN, self.queued)
            else:
                driver.committed(batch)
                self._schedule_fill()

        def work(db: sqlite3.Connection) -> None:
            runs.set_started(db, run.seq, now)
            driver.write(db, batch)

        self.room.store.writer.submit(work, flown)

    def _refuse(self, run: RunRow, error: NexaflowError) -> None:
        """A run that cannot be brought back any more ends, and says so."""
        if run.id in self._refusing:
            return
        self._refusing.add(run.id)
        kind = "journal" if isinstance(error, ConflictError) else "definition"
        problem = {"type": kind, "message": error.message}
        logger.error("run %s cannot go on: %s", run.id, error.message)
        now = self.room.now()

        def told(_: object, failure: BaseException | None) -> None:
            self._refusing.discard(run.id)
            if failure is None:
                end = {"type": "end", "run": run.id, "status": "failed"}
                self.room.hub.publish(run.id, [end])
                self.queued()
            else:
                asyncio.get_running_loop().call_later(_AGAIN, self.queued)

        self.room.store.writer.submit(
            lambda db: runs.finish(self.room.store.writer.tail, run, "failed", now, None, problem),
            told,
        )

    # Runs that come back.

    def open(self, run_id: str) -> Driver:
        """The driver of a run that has not ended, brought back from the journal if need be.

        Raises:
            NotFoundError: there is no such run.
            ConflictError: the run has ended.
        """
        driver = self.active.get(run_id)
        if driver is not None:
            return driver
        run = runs.by_id(self.room.store.reader, run_id)
        if run is None:
            raise NotFoundError(
                f"there is no run {run_id!r}", hint="`nexaflow runs list` shows the newest"
            )
        if run.finished_at is not None:
            raise ConflictError(f"run {run_id} has ended already: {run.status}")
        return self._bring_back(run)

    def _bring_back(self, run: RunRow) -> Driver:
        """A parked run's driver."""
        driver = self.revive(run)
        # Its parking may still be under way: what the row says then is not what it says now.
        driver.stored_status = ""
        if driver.state.executing:
            driver.interrupted()
        return driver

    def revive(self, run: RunRow) -> Driver:
        """Bring a run back to where its journal leaves it.

        Raises:
            NotFoundError, InvalidError: its version of the workflow is not to be had any more.
            ConflictError: its journal cannot be read.
        """
        db = self.room.store.reader
        plan = self._catalogue.plan(db, run.workflow, run.version)
        state = RunState(
            plan,
            run.id,
            event=run.event,
            inputs=run.inputs,
            created_at=run.created_at,
            version=run.version,
        )
        facts = (
            f.from_data(kind, orjson.loads(data)) for _, kind, data in runs.journal(db, run.seq)
        )
        try:
            replay(state, facts)
        except Exception as error:  # whatever is wrong with it, the other runs go on
            raise ConflictError(f"the journal of run {run.id} cannot be read: {error}") from error
        driver = Driver(self.room, run, state)
        self.active[run.id] = driver
        return driver

    def recover(self) -> int:
        """After a start: go on with every run that was active when the last process ended.

        Returns:
            How many there were. Parked and queued runs stay where they are.
        """
        db = self.room.store.reader
        # A run that was paused may have had attempts under way.
        found = [*runs.with_status(db, "running"), *runs.with_status(db, "paused")]
        for run in found:
            try:
                self.revive(run).interrupted()
            except NexaflowError as error:
                self._refuse(run, error)
        self._set_wake(runs.next_wake(db))
        self.queued()
        return len(found)

    def _set_wake(self, at: float | None) -> None:
        if at is None or (self._wake_at is not None and self._wake_at <= at):
            return
        if self._wake is not None:
            self._wake.cancel()
        self._wake_at = at
        # Timers do not see it when the clock is set or the machine sleeps; a look at it does.
        delay = min(max(0.0, at - self.room.now()), _LONGEST_SLEEP)
        self._wake = asyncio.get_running_loop().call_later(delay, self._wake_due)

    def _wake_due(self) -> None:
        self._wake = self._wake_at = None
        if not self.starting:
            return
        room = min(self._max_active - len(self.active), _WAKE_AT_ONCE)
        self._overdue = room <= 0
        if self._overdue:
            return  # the next place that comes free is theirs
        db = self.room.store.reader
        due = runs.due(db, self.room.now(), room + len(self.active))
        for run in [run for run in due if run.id not in self.active][:room]:
            try:
                self._bring_back(run).wake()
            except NexaflowError as error:
                self._refuse(run, error)
        following = runs.next_wake(db)
        if following is not None:
            # Rows of runs just woken still say so until their first facts are committed.
            self._set_wake(max(following, self.room.now() + _WAKE_PAUSE))

    def stop(self) -> None:
        """Start nothing more."""
        self.starting = False
        if self._wake is not None:
            self._wake.cancel()
