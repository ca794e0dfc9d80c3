"""One active run: the engine's decisions made durable, then done."""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from nexaflow_cli.engine import facts as f
from nexaflow_cli.engine import report
from nexaflow_cli.engine.decide import Command, Decision, Start, decide
from nexaflow_cli.engine.fold import apply
from nexaflow_cli.engine.state import RunState, StepState
from nexaflow_cli.engine.transitions import RunStatus
from nexaflow_cli.errors import UnavailableError
from nexaflow_cli.runtime.hub import Hub, fact_frame
from nexaflow_cli.store import runs
from nexaflow_cli.store.runs import RunRow
from nexaflow_cli.store.store import Store

logger = logging.getLogger(__name__)

PARK_AFTER = 2.0
"""A run that does nothing for longer than this many seconds leaves the memory."""

_SAVE_AGAIN = 1.0

_INLINE = 64
"""Pure attempts made in one turn, before others have theirs."""


Told = Callable[[BaseException | None], object]


class Performer(Protocol):
    """Does the work of attempts; the executor, as a driver sees it."""

    def start(self, driver: Driver, step: StepState, attempt: int) -> None: ...
    def stop(self, driver: Driver, step: StepState, attempt: int) -> None: ...
    def compute(self, driver: Driver, step: StepState, attempt: int) -> report.Outcome: ...
    def is_pure(self, action: str) -> bool: ...
    def run_ended(self, run_id: str) -> None: ...


class Keeper(Protocol):
    """Keeps the active runs; the dispatcher, as a driver sees it."""

    starting: bool

    def ended(self, driver: Driver) -> None: ...
    def idle(self, driver: Driver, wake_at: float | None) -> None: ...


@dataclass(slots=True)
class Room:
    """What every driver of a process shares. `now` gives seconds since the epoch."""

    store: Store
    hub: Hub
    performer: Performer
    keeper: Keeper
    now: Callable[[], float]


@dataclass(slots=True)
class Batch:
    """Facts that become durable together, and what may be done once they are."""

    facts: list[f.Fact] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    rows: list[tuple[int, int, str, bytes]] = field(default_factory=list)
    status: str | None = None
    finished: f.RunFinished | None = None
    told: list[Told] = field(default_factory=list)


class Driver:
    """Lives from a run's admission, or its waking, to its end or its parking."""

    def __init__(self, room: Room, run: RunRow, state: RunState) -> None:
        self.room = room
        self.run = run
        self.state = state
        self.stored_status = run.status
        self._facts: list[f.Fact] = []
        self._commands: list[Command] = []
        self._told: list[Told] = []
        self._flying = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due: float | None = None
        self.gone = False
        self.desk: Any = None
        """What the performer keeps with this run."""

    # What comes in.

    def begin(self, now: float) -> Batch:
        """Start the run; the caller writes the batch and has it committed."""
        fact = f.RunStarted(now)
        apply(self.state, fact)
        self._facts.append(fact)
        self.stored_status = str(self.state.status)
        self._decide()
        self._flying = True
        return self.take()

    def wake(self) -> None:
        """The time has come that the run was parked for."""
        self.stored_status = ""  # whatever it is now, the row says that it waits
        self.advance()

    def record(self, *facts: f.Fact) -> None:
        """Take facts from outside (a start, a cancellation), and what follows from them."""
        for fact in facts:
            apply(self.state, fact)
            self._facts.append(fact)
        self.advance()

    def when_durable(self, told: Told, *facts: f.Fact) -> None:
        """Record facts, and call `told` once they are committed, or with what prevents that."""
        self._told.append(told)
        self.record(*facts)

    def attempt_ended(self, key: str, attempt: int, outcome: report.Outcome) -> None:
        """An attempt is over; a report that comes too late changes nothing."""
        fact = self._judge(key, attempt, outcome)
        if fact is not None:
            self.record(fact)

    def interrupted(self) -> None:
        """Every attempt that the journal shows as running ended with the last process."""
        now = self.room.now()
        facts = [report.interrupted(self.state, s, now) for s in self.state.executing.values()]
        self.record(*facts)

    # What follows.

    def advance(self) -> None:
        """Decide what follows now, and see that it becomes durable."""
        if not self.gone:
            self._decide()
            if not self._flying:
                self._fly()

    def _decide(self) -> None:
        """Decide, and make pure attempts on the way: their facts need no commit of their own."""
        for _ in range(_INLINE):
            decision = decide(self.state, self.room.now(), starts=self.room.keeper.starting)
            self._facts += decision.facts
            if not self._do_pure(decision):
                break

    def take(self) -> Batch:
        """Everything that has to be written next. One batch is under way at a time."""
        batch = Batch(self._facts, self._commands, told=self._told)
        self._facts, self._commands, self._told = [], [], []
        seq, numbers = self.run.seq, self.room.store.fact_numbers
        for fact in batch.facts:
            batch.rows.append((next(numbers), seq, fact.kind, orjson.dumps(f.to_data(fact))))
            if type(fact) is f.RunFinished:
                batch.finished = fact
        status = self.state.status
        if status != self.stored_status:
            batch.status = self.stored_status = str(status)
        return batch

    def _fly(self) -> None:
        batch = self.take()
        if batch.rows or batch.status is not None:
            self._submit(batch)
        else:
            self._perform(batch.commands)
            self._rest()

    def _submit(self, batch: Batch) -> None:
        self._flying = True
        try:
            self.room.store.writer.submit(
                lambda db: self.write(db, batch),
                lambda _, error: self._landed(batch, error),
                atomic=False,
            )
        except UnavailableError as error:
            # The process is about to end; the journal says how far the run came.
            self._told += batch.told
            self.drop(error)

    def _landed(self, batch: Batch, error: BaseException | None) -> None:
        if self.gone:
            for told in batch.told:
                told(error)
            return
        if error is None:
            self.committed(batch)
            return
        logger.error("run %s cannot be saved, trying again: %s", self.run.id, error)
        asyncio.get_running_loop().call_later(_SAVE_AGAIN, self._submit, batch)

    def write(self, db: sqlite3.Connection, batch: Batch) -> None:
        """The rows of a batch, within a transaction."""
        tail = self.room.store.writer.tail
        runs.append(tail, batch.rows)
        fact = batch.finished
        if fact is not None:
            runs.finish(tail, self.run, fact.status, fact.at, fact.output, fact.error)
        elif batch.status is not None:
            runs.set_status(db, self.run.seq, batch.status)

    def committed(self, batch: Batch) -> None:
        """The batch is durable: tell who watches, and do what rests on it."""
        if self.room.hub.watched(self.run.id):
            run, name = self.run.id, self.run.workflow
            frames = [fact_frame(run, name, seq, kind, raw) for seq, _, kind, raw in batch.rows]
            self.room.hub.publish(run, frames)
            if batch.finished is not None:
                status = batch.finished.status
                end = {"type": "end", "run": self.run.id, "status": str(status)}
                self.room.hub.publish(self.run.id, [end])
        self._flying = False
        for told in batch.told:
            told(None)
        self._perform(batch.commands)
        if not self._flying:
            if self._facts:
                self._fly()
            else:
                self._rest()

    def drop(self, error: BaseException | None = None) -> None:
        """Forget the run; what it did is in the journal. Who waits for more is told so."""
        self.gone = True
        waiting, self._told = self._told, []
        for told in waiting:
            told(error or UnavailableError("this could not be saved", hint="try again"))
        if self._timer is not None:
            self._timer.cancel()

    def _do_pure(self, decision: Decision) -> bool:
        """Make the pure attempts at once: their facts go into the same batch."""
        did = False
        for command in decision.commands:
            if isinstance(command, Start) and self.room.performer.is_pure(command.step.node.action):
                did = True
                step = command.step
                outcome = self.room.performer.compute(self, step, command.attempt)
                fact = self._judge(step.key, command.attempt, outcome)
                assert fact is not None
                apply(self.state, fact)
                self._facts.append(fact)
            else:
                self._commands.append(command)
        return did

    def _judge(self, key: str, attempt: int, outcome: report.Outcome) -> f.Fact | None:
        chance = random.random()  # noqa: S311 - spreads retries, guards nothing
        return report.ended(self.state, key, attempt, outcome, self.room.now(), chance)

    def _perform(self, commands: list[Command]) -> None:
        for command in commands:
            if self.gone:
                return
            if isinstance(command, Start):
                # Between the decision and now the attempt may have been called off.
                if report.running_step(self.state, command.step.key, command.attempt):
                    self.room.performer.start(self, command.step, command.attempt)
            else:
                self.room.performer.stop(self, command.step, command.attempt)

    def _rest(self) -> None:
        """Nothing to do at once: end, park, or wait for a timer or a report."""
        if self.gone or self._flying:
            return
        state = self.state
        if state.ended:
            self.drop()
            self.room.performer.run_ended(self.run.id)
            self.room.keeper.ended(self)
            return
        due = state.next_due()
        if not state.executing and not self._facts:
            if state.status is RunStatus.PAUSED or not state.ready:
                if due is None or due - self.room.now() > PARK_AFTER:
                    self.drop()
                    self.room.keeper.idle(self, due)
                    return
            elif self.room.keeper.starting:
                # More pure work than fits one turn.
                asyncio.get_running_loop().call_soon(self.advance)
                return
        self._arm(due)

    def _arm(self, due: float | None) -> None:
        if due == self._timer_due and (self._timer is None or not self._timer.cancelled()):
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_due = due
        if due is not None:
            delay = max(0.0, due - self.room.now())
            self._timer = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        self._timer = self._timer_due = None
        self.advance()
