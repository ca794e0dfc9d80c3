"""Events come in: recorded, matched against triggers, and made into runs in one transaction."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nexaflow_cli.errors import InvalidError
from nexaflow_cli.runtime.admission import Admission, Admitted, Request
from nexaflow_cli.runtime.catalogue import Catalogue
from nexaflow_cli.spec.model import EventTrigger
from nexaflow_cli.store import events
from nexaflow_cli.store.runs import RunRow
from nexaflow_cli.store.store import Store
from nexaflow_cli.triggers.match import TriggerIndex

logger = logging.getLogger(__name__)

MAX_CHAIN = 32
"""Events caused by runs that events caused: so many in a row, then it is taken for a loop."""


@dataclass(frozen=True, slots=True)
class Cause:
    """The run that made an event; `chain` names the workflows that led to it, itself last."""

    run: str
    workflow: str
    chain: tuple[str, ...]

    @classmethod
    def of(cls, run: RunRow) -> Cause:
        return cls(run.id, run.workflow, (*run.trigger.get("chain", ()), run.workflow))

    def to_dict(self) -> dict[str, Any]:
        return {"run": self.run, "workflow": self.workflow, "chain": list(self.chain)}


class Intake:
    """Belongs to the loop; `admit` is called inside a transaction."""

    def __init__(self, store: Store, catalogue: Catalogue, admission: Admission) -> None:
        self._store = store
        self._catalogue = catalogue
        self._admission = admission
        self._index = TriggerIndex()

    def refresh(self, name: str) -> None:
        """Match by what this workflow is now; a paused one takes nothing in."""
        entry = self._catalogue.current.get(name)
        if entry is None or entry.row.status != "active":
            self._index.remove(name)
            return
        triggers = enumerate(entry.plan.workflow.triggers)
        self._index.set(name, [(n, t) for n, t in triggers if isinstance(t, EventTrigger)])

    def admit(
        self, db: sqlite3.Connection, event: dict[str, Any], at: float, cause: Cause | None
    ) -> list[Admitted]:
        """Record an event and create the runs that it triggers.

        Args:
            event: what expressions see; `id` and `type` are there, `path` if it is about a file.
            at: seconds since the epoch.
        """
        seq = self._store.next_event()
        events.insert(db, seq, event, at, None if cause is None else cause.to_dict())
        chain = () if cause is None else cause.chain
        if len(chain) >= MAX_CHAIN:
            logger.error(
                "event %s of run %s starts nothing: it is number %d in a chain of events that "
                "cause each other (%s)",
                event["id"],
                cause.run if cause else "",
                len(chain),
                " > ".join(chain[-4:]),
            )
            return []
        found = self._index.match(event, chain[-1:])
        for failure in found.failures:
            logger.error(
                "the condition of trigger %d of %s cannot be computed for event %s: %s",
                failure.trigger + 1,
                failure.workflow,
                event["id"],
                failure.error,
            )
        admitted = []
        # A workflow with several triggers that an event concerns runs once for it.
        for hit in {hit.workflow: hit for hit in reversed(found.hits)}.values():
            entry = self._catalogue.current[hit.workflow]
            trigger = {"type": "event", "event": event["id"], "event_type": event["type"]}
            if event.get("path"):
                trigger["path"] = event["path"]
            if chain:
                trigger["chain"] = list(chain)
            try:
                inputs = entry.inputs.complete({})
            except InvalidError as error:
                logger.error("event %s starts nothing: %s", event["id"], error.message)
                continue
            path = event.get("path")
            made = self._admission.submit(
                db, Request(entry, trigger, inputs, event=event, path=path)
            )
            events.admit(db, seq, made.run.seq)
            admitted.append(made)
        return admitted

    async def transact(
        self, work: Callable[[sqlite3.Connection, list[Admitted]], None]
    ) -> list[Admitted]:
        """Do `work(db, admitted)`, which adds what it admits; let it go once it is durable."""
        admitted: list[Admitted] = []

        def settled(error: BaseException | None) -> None:
            for one in admitted:
                if error is None:
                    self._admission.release(one)
                else:
                    self._admission.undo(one)

        await self._store.writer.run(lambda db: work(db, admitted), settled)
        return admitted
