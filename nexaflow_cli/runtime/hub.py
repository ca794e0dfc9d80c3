"""Live updates: committed facts and log lines, to whoever watches."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import orjson

from nexaflow_cli.runtime.times import iso

Frame = dict[str, Any]

BACKLOG = 10_000


def fact_frame(run: str, workflow: str, seq: int, kind: str, raw: bytes) -> Frame:
    """A fact as watchers see it."""
    data = orjson.loads(raw)
    return {
        "seq": seq,
        "type": "fact",
        "run": run,
        "workflow": workflow,
        "kind": kind,
        "step": data.pop("step", None),
        "at": iso(data.pop("at")),
        "data": data,
    }


class Subscription:
    """Frames for one watcher; one who falls `BACKLOG` frames behind is told and cut off."""

    def __init__(self, run: str | None, logs: bool) -> None:
        self.run = run
        self.logs = logs
        self._queue: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._cut = False

    def offer(self, frame: Frame) -> None:
        if self._cut:
            return
        if self._queue.qsize() >= BACKLOG:
            self._cut = True
            self._queue.put_nowait(None)
            return
        self._queue.put_nowait(frame)

    def close(self) -> None:
        self._cut = True
        self._queue.put_nowait(None)

    async def next(self) -> Frame | None:
        """The next frame; None: there are no more, come back with the last `seq`."""
        return await self._queue.get()


class Hub:
    """Hands frames to subscriptions; costs nothing where nobody watches."""

    def __init__(self) -> None:
        self._by_run: dict[str, set[Subscription]] = {}
        self._all: set[Subscription] = set()
        self._closed = False

    def subscribe(self, run: str | None, logs: bool) -> Subscription:
        subscription = Subscription(run, logs)
        if self._closed:
            subscription.close()
        if run is None:
            self._all.add(subscription)
        else:
            self._by_run.setdefault(run, set()).add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        if subscription.run is None:
            self._all.discard(subscription)
            return
        watchers = self._by_run.get(subscription.run)
        if watchers is not None:
            watchers.discard(subscription)
            if not watchers:
                del self._by_run[subscription.run]

    def watched(self, run: str) -> bool:
        return bool(self._all) or run in self._by_run

    def publish(self, run: str, frames: Iterable[Frame]) -> None:
        watchers = [*self._all, *self._by_run.get(run, ())]
        for frame in frames:
            for watcher in watchers:
                if frame["type"] != "log" or watcher.logs:
                    watcher.offer(frame)

    def close(self) -> None:
        """End all subscriptions, those that are made from now on too."""
        self._closed = True
        for watcher in [*self._all, *(w for ws in self._by_run.values() for w in ws)]:
            watcher.close()
