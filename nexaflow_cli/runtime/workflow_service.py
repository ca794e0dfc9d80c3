"""Workflows as clients handle them: apply, list, history, pause, delete."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from nexaflow_cli.engine.plan import Plan, compile_plan
from nexaflow_cli.errors import InvalidError
from nexaflow_cli.runtime import shapes
from nexaflow_cli.runtime.catalogue import Catalogue
from nexaflow_cli.runtime.pages import Page, number, page
from nexaflow_cli.runtime.times import iso
from nexaflow_cli.spec.diagnostics import Diagnostic, has_errors
from nexaflow_cli.spec.load import Document, InvalidWorkflowError, load_text
from nexaflow_cli.store import runs, workflows
from nexaflow_cli.store.store import Store
from nexaflow_cli.store.workflows import WorkflowRow

Shape = dict[str, Any]


def _compiled(found: Sequence[tuple[str, Document]]) -> dict[str, Plan]:
    return {d.name: compile_plan(d.workflow) for _, d in found if d.workflow is not None}


def _refused(diagnostics: Sequence[Diagnostic]) -> InvalidWorkflowError:
    """What is said of definitions that are not accepted: the first problem, and how many."""
    errors = [d for d in diagnostics if d.severity == "error"]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    first = f"{errors[0].file}:{errors[0].line}: {errors[0].message}"
    return InvalidWorkflowError(
        f"nothing was applied: {first}{more}",
        list(diagnostics),
        hint="`nexaflow validate FILE` shows each problem in its place",
    )


class WorkflowService:
    """`changed` is called after each change of what is in use."""

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        signatures: Mapping[str, Mapping[str, Any]],
        now: Callable[[], float],
        changed: Callable[[str], None],
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._signatures = signatures
        self._now = now
        self._changed = changed

    async def apply(
        self,
        documents: Sequence[tuple[str, str]],
        *,
        prune: bool = False,
        dry_run: bool = False,
        author: str = "",
    ) -> Shape:
        """Make the given (filename, YAML text) definitions the newest versions: all, or none.

        Args:
            prune: delete every workflow that is not among them.
            dry_run: change nothing, and tell what would change.

        Raises:
            InvalidWorkflowError: at least one is wrong; nothing was changed.
        """
        found = await asyncio.to_thread(self._load, documents)
        diagnostics = [d for _, document in found for d in document.diagnostics]
        if has_errors(diagnostics):
            raise _refused(diagnostics)
        if dry_run:
            changes = self._plan(found, prune)
        else:
            # Large definitions take a while to compile: before they are in use, not on the loop.
            plans = await asyncio.to_thread(_compiled, found)
            changes = []

            def work(db: sqlite3.Connection) -> None:
                changes.extend(self._put(db, found, prune, author))

            def settled(error: BaseException | None) -> None:
                # Whether or not whoever asked still waits.
                if error is None:
                    for change in changes:
                        self._take(change, plans.get(change["name"]))

            await self._store.writer.run(work, settled)
        return {"changes": changes, "diagnostics": [d.to_dict() for d in diagnostics]}

    async def get(self, name: str) -> Shape:
        entry = self._catalogue.get(name)
        last = await self._store.read(lambda db: runs.page(db, workflow=name, limit=1))
        return {**shapes.workflow(entry, next(iter(last), None)), "source": entry.row.source}

    async def delete(self, name: str) -> Shape:
        """Take a workflow out of use. Open runs go on; history stays."""
        row = self._catalogue.get(name).row

        def settled(error: BaseException | None) -> None:
            if error is None:
                self._catalogue.remove(name)
                self._changed(name)

        await self._store.writer.run(lambda db: workflows.delete(db, name, self._now()), settled)
        return {"name": name, "version": row.version, "change": "deleted"}

    async def pause(self, name: str) -> Shape:
        """Let triggers start nothing more; the events that come meanwhile are passed by."""
        return await self._set_status(name, "paused")

    async def resume(self, name: str) -> Shape:
        return await self._set_status(name, "active")

    async def history(self, name: str, limit: int = 50, cursor: str | None = None) -> Page:
        before = number(cursor)

        def query(db: sqlite3.Connection) -> Any:
            self._must_be_known(db, name)
            return runs.page(db, workflow=name, before=before, limit=limit + 1)

        rows = await self._store.read(query)
        return page(rows, limit, shapes.history_row, lambda row: row.seq)

    async def stats(self, name: str) -> Shape:
        def query(db: sqlite3.Connection) -> Any:
            self._must_be_known(db, name)
            last = runs.page(db, workflow=name, limit=1)
            return runs.totals(db, name), runs.open_counts(db, name), last

        totals, open_counts, last = await self._store.read(query)
        ended = {status: count for status, (count, _) in totals.items()}
        done = sum(ended.values())
        success, failed = ended.get("success", 0), ended.get("failed", 0)
        judged = success + failed
        duration = sum(ms for _, ms in totals.values())
        return {
            "workflow": name,
            "total": done + sum(open_counts.values()),
            "success": success,
            "failed": failed,
            "cancelled": ended.get("cancelled", 0),
            "running": open_counts.get("running", 0) + open_counts.get("waiting", 0),
            "queued": open_counts.get("queued", 0),
            "paused": open_counts.get("paused", 0),
            "success_rate": round(100 * success / judged, 1) if judged else 0.0,
            "avg_duration_ms": round(duration / done) if done else 0,
            "errors": failed,
            "last_run_at": iso(last[0].started_at or last[0].created_at) if last else None,
        }

    async def errors(self, name: str, limit: int = 50, cursor: str | None = None) -> Page:
        before = number(cursor)

        def query(db: sqlite3.Connection) -> Any:
            self._must_be_known(db, name)
            return runs.failed_facts(db, name, before, limit + 1)

        def shape(row: tuple[int, str, bytes]) -> Shape:
            _, run_id, raw = row
            data = orjson.loads(raw)
            return {
                "timestamp": iso(data["at"]),
                "run": run_id,
                "step": data["step"],
                "attempt": data["attempt"],
                "type": data["error"].get("type"),
                "error": data["error"].get("message"),
                "retry_at": iso(data.get("retry_at")),
            }

        rows = await self._store.read(query)
        return page(rows, limit, shape, lambda row: row[0])

    # Parts.

    def _load(self, documents: Sequence[tuple[str, str]]) -> list[tuple[str, Document]]:
        found = [
            (filename, document)
            for filename, source in documents
            for document in load_text(source, filename, self._signatures)
        ]
        seen: dict[str, str] = {}
        for filename, document in found:
            if document.workflow is not None and document.name in seen:
                raise InvalidError(
                    f"workflow {document.name!r} is defined twice: "
                    f"in {seen[document.name]} and in {filename}",
                    hint="a name stands for one definition; rename one of them",
                )
            seen[document.name] = filename
        return found

    def _plan(self, documents: Sequence[tuple[str, Document]], prune: bool) -> list[Shape]:
        changes: list[Shape] = []
        for _, document in documents:
            assert document.workflow is not None
            name, digest = document.workflow.name, document.workflow.digest
            entry = self._catalogue.current.get(name)
            if entry is None:
                changes.append({"name": name, "version": None, "change": "created"})
            elif entry.row.digest != digest:
                changes.append(
                    {"name": name, "version": entry.row.version + 1, "change": "updated"}
                )
            else:
                changes.append({"name": name, "version": entry.row.version, "change": "unchanged"})
        if prune:
            given = {change["name"] for change in changes}
            changes += [
                {"name": name, "version": entry.row.version, "change": "deleted"}
                for name, entry in sorted(self._catalogue.current.items())
                if name not in given
            ]
        return changes

    def _put(
        self,
        db: sqlite3.Connection,
        documents: Sequence[tuple[str, Document]],
        prune: bool,
        author: str,
    ) -> list[Shape]:
        changes = []
        now = self._now()
        for filename, document in documents:
            spec = document.workflow
            assert spec is not None
            version, change = workflows.put(
                db, spec.name, spec.digest, document.source, filename, author, now
            )
            changes.append({"name": spec.name, "version": version, "change": change})
        if prune:
            given = {change["name"] for change in changes}
            for row in workflows.every(db):
                if row.name not in given:
                    workflows.delete(db, row.name, now)
                    gone = {"name": row.name, "version": row.version, "change": "deleted"}
                    changes.append(gone)
        return changes

    def _take(self, change: Shape, plan: Plan | None) -> None:
        """Bring what was committed into use."""
        name = change["name"]
        if change["change"] == "deleted":
            self._catalogue.remove(name)
        elif change["change"] == "unchanged":
            return
        else:
            row = workflows.get(self._store.reader, name)
            if row is None or row.version != change["version"]:
                return  # a later change has been committed too; it brings its own plan
            self._catalogue.put(row, plan)
        self._changed(name)

    async def _set_status(self, name: str, status: str) -> Shape:
        self._catalogue.get(name)
        now = self._now()

        found: list[WorkflowRow | None] = []

        def work(db: sqlite3.Connection) -> None:
            workflows.set_status(db, name, status, now)
            found.append(workflows.get(db, name))

        def settled(error: BaseException | None) -> None:
            if error is None:
                for row in found:
                    if row is not None:
                        self._catalogue.put(row)
                self._changed(name)

        await self._store.writer.run(work, settled)
        return await self.get(name)

    def _must_be_known(self, db: sqlite3.Connection, name: str) -> None:
        if name not in self._catalogue.current and not workflows.known(db, name):
            raise self._catalogue.unknown(name)

    async def list(self, limit: int = 50, cursor: str | None = None) -> Page:
        names = sorted(n for n in self._catalogue.current if cursor is None or n > cursor)
        chosen = names[:limit]

        def last(db: sqlite3.Connection) -> Any:
            return {name: runs.page(db, workflow=name, limit=1) for name in chosen}

        last_runs = await self._store.read(last)
        items = [
            shapes.workflow(self._catalogue.current[name], next(iter(last_runs[name]), None))
            for name in chosen
            if name in self._catalogue.current
        ]
        return {"items": items, "next": chosen[-1] if len(names) > limit else None}
