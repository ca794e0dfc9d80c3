"""A real daemon inside the test's own process, and actions whose course the test decides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from nexaflow_cli.actions.base import Action, ActionError, Call
from nexaflow_cli.actions.registry import BUILTIN
from nexaflow_cli.config import DaemonSettings
from nexaflow_cli.runtime.daemon import Daemon

ANY = {"type": "object"}


class Gate:
    """An action `gate` that holds each of its attempts until the test opens it.

    `with: {name: …}` names what is held; `calls` has the names in the order they began.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.under_way: list[str] = []
        self.most_at_once = 0
        self.stopped: list[str] = []
        self._changed = asyncio.Event()
        self._open: set[str] = set()

    async def run(self, params: dict[str, Any], call: Call) -> Any:
        name = str(params.get("name", call.step))
        self.calls.append(name)
        self.under_way.append(name)
        self.most_at_once = max(self.most_at_once, len(self.under_way))
        self._tell()
        try:
            await self.until(lambda: name in self._open or "*" in self._open)
        except asyncio.CancelledError:
            self.stopped.append(name)
            raise
        finally:
            self.under_way.remove(name)
            self._tell()
        if "fail" in params:
            raise ActionError(params["fail"])
        return {"name": name, "attempt": call.attempt}

    def open(self, *names: str) -> None:
        """Let attempts of these names end, those to come too; `*` stands for all."""
        self._open |= set(names)
        self._tell()

    async def began(self, *names: str) -> None:
        """Wait until attempts of all these names have begun."""
        await self.until(lambda: set(names) <= set(self.calls))

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._changed.clear()
            await self._changed.wait()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


@asynccontextmanager
async def daemon_at(
    data_dir: Path,
    *documents: str,
    actions: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    triggers: bool = False,
    **settings: Any,
) -> AsyncIterator[Daemon]:
    """A daemon on this directory with these workflows, stopped at the end."""
    own = {
        name: Action(name, name, ANY, getattr(run, "run", run))
        for name, run in (actions or {}).items()
    }
    daemon = Daemon(
        replace(DaemonSettings(data_dir=data_dir, grace=0.0), **settings),
        actions={**BUILTIN, **own},
        environ={"PATH": "/usr/bin:/bin"} if environ is None else environ,
        triggers=triggers,
    )
    async with asyncio.timeout(20):
        await daemon.start()
        try:
            for number, document in enumerate(documents):
                await daemon.workflows.apply([(f"{number}.yaml", document)])
            if triggers:
                await daemon._ledger.scanned()
            yield daemon
        finally:
            await daemon.stop()


async def ended(daemon: Daemon, run_id: str) -> dict[str, Any]:
    """Wait for the end of a run; the run."""
    async for _ in daemon.live.follow(run_id):
        pass
    return await daemon.runs.get(run_id)


async def run(daemon: Daemon, workflow: str, **inputs: Any) -> dict[str, Any]:
    """Run a workflow to its end; the run."""
    started = await daemon.runs.start(workflow, inputs)
    return await ended(daemon, started["id"])


def steps(shape: dict[str, Any]) -> dict[str, str]:
    """Status by key of a run's steps."""
    return {step["key"]: step["status"] for step in shape["steps"]}


def step(shape: dict[str, Any], key: str) -> dict[str, Any]:
    return next(step for step in shape["steps"] if step["key"] == key)


async def saw(daemon: Daemon, run_id: str, kind: str) -> dict[str, Any]:
    """Wait for the first fact of a kind in a run; its frame."""
    async for frame in daemon.live.follow(run_id):
        if frame.get("kind") == kind:
            return frame
    raise AssertionError(f"the run ended without {kind}")


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Ask again each turn of the loop until it holds."""
    while not await holds():
        await asyncio.sleep(0)


async def has_status(daemon: Daemon, run_id: str, status: str) -> None:
    """Wait until a run is on record with this status."""

    async def holds() -> bool:
        return bool((await daemon.runs.get(run_id))["status"] == status)

    await until(holds)
