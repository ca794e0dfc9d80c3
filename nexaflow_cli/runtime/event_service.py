"""Events as clients see them."""

from __future__ import annotations

from nexaflow_cli.runtime.pages import Page, number, page
from nexaflow_cli.store import events
from nexaflow_cli.store.store import Store


class EventService:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def list(
        self,
        type: str | None = None,
        path: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        """Events from the newest on, each with its cause and the runs it made."""
        before = number(cursor)
        rows = await self._store.read(
            lambda db: events.page(db, type=type, path=path, before=before, limit=limit + 1)
        )
        return page(rows, limit, lambda row: row[1], lambda row: row[0])
