"""The workflows in use, compiled; versions that open runs still follow, compiled on demand."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nexaflow_cli.engine.plan import Plan, compile_plan
from nexaflow_cli.errors import InvalidError, NotFoundError
from nexaflow_cli.runtime.inputs import InputCheck
from nexaflow_cli.spec.load import load_one
from nexaflow_cli.store import workflows
from nexaflow_cli.store.workflows import WorkflowRow

_CACHED = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """One version of a workflow, ready to run."""

    row: WorkflowRow
    plan: Plan
    inputs: InputCheck


class Catalogue:
    """Belongs to the loop. `current` holds every workflow that is not deleted."""

    def __init__(self, signatures: Mapping[str, Mapping[str, Any]]) -> None:
        self._signatures = signatures
        self.current: dict[str, Entry] = {}
        self._plans: OrderedDict[tuple[str, int], Plan] = OrderedDict()

    def load(self, db: sqlite3.Connection) -> list[tuple[str, str]]:
        """Compile all that the database has; (name, problem) of those this version cannot."""
        problems = []
        for row in workflows.every(db):
            try:
                self.put(row)
            except InvalidError as error:
                problems.append((row.name, error.message))
        return problems

    def put(self, row: WorkflowRow, plan: Plan | None = None) -> Entry:
        """Take a new version, or a new status, into use; `plan` if it is compiled already."""
        entry = self.current.get(row.name)
        if entry is None or entry.row.version != row.version:
            if plan is None:
                plan = self._compile(row.name, row.version, row.source, row.filename)
            entry = Entry(row, plan, InputCheck(plan.workflow.name, plan.workflow.inputs))
        else:
            entry = Entry(row, entry.plan, entry.inputs)
        self.current[row.name] = entry
        return entry

    def remove(self, name: str) -> None:
        self.current.pop(name, None)

    def get(self, name: str) -> Entry:
        """The workflow of that name.

        Raises:
            NotFoundError: there is none; the hint names near ones.
        """
        try:
            return self.current[name]
        except KeyError:
            raise self.unknown(name) from None

    def unknown(self, name: str) -> NotFoundError:
        from difflib import get_close_matches

        near = get_close_matches(name, self.current, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        return NotFoundError(
            f"there is no workflow named {name!r}",
            hint=f"{hint}`nexaflow workflows list` shows all",
        )

    def plan(self, db: sqlite3.Connection, name: str, version: int) -> Plan:
        """The plan of any version there ever was.

        Raises:
            NotFoundError: the database has no such version.
            InvalidError: this version of NexaFlow does not accept its definition any more.
        """
        entry = self.current.get(name)
        if entry is not None and entry.row.version == version:
            return entry.plan
        key = (name, version)
        plan = self._plans.get(key)
        if plan is None:
            found = workflows.source_of(db, name, version)
            if found is None:
                raise NotFoundError(f"workflow {name!r} has no version {version}")
            plan = self._compile(name, version, *found)
        self._plans.move_to_end(key)
        return plan

    def _compile(self, name: str, version: int, source: str, filename: str) -> Plan:
        plan = compile_plan(load_one(source, filename, self._signatures))
        self._plans[name, version] = plan
        if len(self._plans) > _CACHED:
            self._plans.popitem(last=False)
        return plan
