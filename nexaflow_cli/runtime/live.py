"""Live streams: what the journal has since a number, then what is committed from now on."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from nexaflow_cli.engine.transitions import OPEN_RUN
from nexaflow_cli.errors import NotFoundError
from nexaflow_cli.runtime.hub import Frame, Hub, fact_frame
from nexaflow_cli.runtime.logs import RunLogs
from nexaflow_cli.store import runs
from nexaflow_cli.store.runs import RunRow
from nexaflow_cli.store.store import Store


class Live:
    def __init__(self, store: Store, hub: Hub, logs: RunLogs) -> None:
        self._store = store
        self._hub = hub
        self._logs = logs

    def log_line(self, run_id: str, entry: dict[str, Any]) -> None:
        """A line was said in a run: show it to who watches."""
        if self._hub.watched(run_id):
            self._hub.publish(run_id, [{"type": "log", "run": run_id, **entry}])

    async def follow(
        self, run: str | None = None, after: int | None = None, logs: bool = False
    ) -> AsyncIterator[Frame]:
        """Frames of one run from fact `after` on, to its end; or of all runs from now on.

        Raises:
            NotFoundError: there is no such run.
        """
        subscription = self._hub.subscribe(run, logs)
        try:
            seen, said = after or 0, 0
            if run is not None:
                row, journal = await self._store.read(lambda db: self._past(db, run, seen))
                if logs and after is None:
                    async for frame in self._past_logs(run):
                        said = max(said, frame["n"])
                        yield frame
                for seq, kind, raw in journal:
                    seen = seq
                    yield fact_frame(run, row.workflow, seq, kind, raw)
                if row.status not in OPEN_RUN:
                    yield {"type": "end", "run": run, "status": row.status}
                    return
            while (update := await subscription.next()) is not None:
                frame = update
                # What came while the past was read is in both.
                # Numbers rise within a run only: across runs they come as they are committed.
                if frame["type"] == "fact" and run is not None:
                    if frame["seq"] <= seen:
                        continue
                    seen = frame["seq"]
                elif frame["type"] == "log" and run is not None and frame["n"] <= said:
                    continue
                yield frame
                if frame["type"] == "end" and run is not None:
                    return
        finally:
            self._hub.unsubscribe(subscription)

    def _past(
        self, db: sqlite3.Connection, run: str, after: int
    ) -> tuple[RunRow, list[tuple[int, str, bytes]]]:
        row = runs.by_id(db, run)
        if row is None:
            raise NotFoundError(
                f"there is no run {run!r}", hint="`nexaflow runs list` shows the newest"
            )
        return row, runs.journal(db, row.seq, after)

    async def _past_logs(self, run: str) -> AsyncIterator[Frame]:
        import asyncio

        at: int | None = 0
        while at is not None:
            items, at = await asyncio.to_thread(partial(self._logs.read, run, after=at))
            for entry in items:
                yield {"type": "log", "run": run, **entry}
