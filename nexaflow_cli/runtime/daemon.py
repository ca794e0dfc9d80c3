"""The parts of a running data directory, put together, started and stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets as random_tokens
import shutil
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from nexaflow_cli import __version__
from nexaflow_cli.actions import registry
from nexaflow_cli.actions.base import Action, Limits
from nexaflow_cli.config import DaemonSettings
from nexaflow_cli.files.mounts import Mounts
from nexaflow_cli.files.space import FileSpace
from nexaflow_cli.runtime.admission import Admission
from nexaflow_cli.runtime.catalogue import Catalogue
from nexaflow_cli.runtime.dispatch import Dispatch
from nexaflow_cli.runtime.driver import Room
from nexaflow_cli.runtime.environment import base_environment
from nexaflow_cli.runtime.event_service import EventService
from nexaflow_cli.runtime.executor import Executor
from nexaflow_cli.runtime.file_ledger import FileLedger
from nexaflow_cli.runtime.file_service import FileService
from nexaflow_cli.runtime.hub import Hub
from nexaflow_cli.runtime.ids import IdMaker
from nexaflow_cli.runtime.intake import Intake
from nexaflow_cli.runtime.live import Live
from nexaflow_cli.runtime.lock import DataDirLock
from nexaflow_cli.runtime.logs import RunLogs
from nexaflow_cli.runtime.masking import Masker
from nexaflow_cli.runtime.run_service import RunService
from nexaflow_cli.runtime.schedules import Schedules
from nexaflow_cli.runtime.secrets import Secrets
from nexaflow_cli.runtime.warden import Warden, new_token, start_warden, sweep
from nexaflow_cli.runtime.workflow_service import WorkflowService
from nexaflow_cli.store import runs
from nexaflow_cli.store import settings as stored
from nexaflow_cli.store.store import Store

logger = logging.getLogger(__name__)


class Daemon:
    """Owns one data directory from `start` to `stop`. Clients use its services.

    Args:
        settings: where, and within which limits.
        actions: what steps can do; the built-in ones by default.
        environ: where secrets and the environment of children come from.
        triggers: False runs no schedules and watches no files.
    """

    workflows: WorkflowService
    runs: RunService
    events: EventService
    files: FileService
    live: Live

    def __init__(
        self,
        settings: DaemonSettings,
        *,
        actions: Mapping[str, Action] | None = None,
        environ: Mapping[str, str] | None = None,
        triggers: bool = True,
    ) -> None:
        self.settings = settings
        self.local_key = f"nxk_{random_tokens.token_urlsafe(32)}"
        self.started_at = 0.0
        self._actions = registry.BUILTIN if actions is None else actions
        self._environ = os.environ if environ is None else environ
        self._triggers = triggers
        self._lock = DataDirLock(settings.data_dir)
        self._stop: contextlib.AsyncExitStack = contextlib.AsyncExitStack()
        self._warden: Warden | None = None

    async def start(self) -> None:
        """Take the data directory and go on with what it holds.

        Raises:
            ConflictError: another process has it, or a newer version wrote it.
            NotAllowedError: it cannot be written.
        """
        try:
            await self._start()
        except BaseException:
            await self._stop.aclose()
            raise

    async def stop(self) -> None:
        """End in good order: what runs gets the grace, what is left goes on at the next start."""
        await self._stop.aclose()

    async def _start(self) -> None:
        self._lock.acquire()
        self._stop.callback(self._lock.release)
        store = self._store = Store(self.settings.database)
        self._stop.push_async_callback(store.close)
        owner = await self._guard_children(store)
        self.settings.files_dir.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.settings.tmp_dir, ignore_errors=True)
        self._assemble(store, owner)
        self._dispatch.recover()
        if self._triggers:
            await self._ledger.start()
            self._schedules.start()
            self._stop.push_async_callback(self._schedules.stop)
        else:
            self._ledger.switch_off()
        self.started_at = time.time()

    def _assemble(self, store: Store, owner: str) -> None:
        """Make the parts and tell each of those it needs; what is pushed last is stopped first."""
        settings, now = self.settings, time.time
        secrets = Secrets(self._environ)
        masker = Masker(secrets.values())
        hub = Hub()
        logs = self._logs = RunLogs(
            settings.logs_dir,
            masker=masker,
            step_bytes=settings.log_bytes,
            on_line=lambda run_id, entry: self.live.log_line(run_id, entry),
        )
        self._stop.callback(logs.close)
        signatures = {name: action.schema for name, action in self._actions.items()}
        catalogue = Catalogue(signatures)
        for name, problem in catalogue.load(store.reader):
            logger.error("workflow %s cannot be used: %s", name, problem)

        dispatch = self._dispatch = Dispatch(catalogue, settings.max_active_runs)
        executor = self._executor(owner, secrets, masker, logs)
        executor.clear_scratch(partial(runs.is_over, store.reader))
        room = dispatch.room = Room(store, hub, executor, dispatch, now)
        ids = IdMaker(store.last_run_id)
        admission = Admission(room, dispatch, ids)
        intake = Intake(store, catalogue, admission)
        schedules = self._schedules = Schedules(catalogue, admission, intake, now)
        mounts = Mounts({"/": settings.files_dir})
        ledger = self._ledger = FileLedger(store, mounts, intake, ids, now)

        def changed(name: str) -> None:
            intake.refresh(name)
            schedules.refresh(name)

        self.live = Live(store, hub, logs)
        self.files = FileService(FileSpace(mounts), ledger)
        self.events = EventService(store)
        self.runs = RunService(room, catalogue, dispatch, admission, logs)
        self.workflows = WorkflowService(store, catalogue, signatures, now, changed)
        for name in catalogue.current:
            changed(name)

        # After the attempts under way, which may be changing files.
        self._stop.push_async_callback(ledger.stop)
        self._stop.push_async_callback(registry.close)
        self._stop.push_async_callback(executor.leave, settings.grace)
        self._stop.callback(dispatch.stop)
        self._stop.callback(hub.close)

    def _executor(
        self, owner: str, secrets: Mapping[str, str], masker: Masker, logs: RunLogs
    ) -> Executor:
        settings = self.settings
        return Executor(
            self._actions,
            secrets=secrets,
            masker=masker,
            logs=logs,
            files=lambda driver: self.files.for_run(driver.run),
            work_dir=settings.work_dir,
            child_env=base_environment(self._environ, owner, str(settings.files_dir)),
            limits=Limits(output=settings.output_bytes, grace=settings.grace),
            max_tasks=settings.max_processes,
            children=self._warden,
        )

    async def _guard_children(self, store: Store) -> str:
        """See that no child outlives this process, and end those that outlived the last."""
        owner = new_token()
        before = stored.get(store.reader, "owner")
        if before is not None:
            left = await asyncio.to_thread(sweep, before)
            if left:
                logger.warning("ended %d processes that the last daemon left behind", left)
        await store.writer.run(lambda db: stored.put(db, "owner", owner))
        warden = self._warden = await asyncio.to_thread(start_warden, owner)
        self._stop.callback(warden.close)
        self._stop.push_async_callback(self._end_children, owner)
        return owner

    async def _end_children(self, owner: str) -> None:
        """End what steps left behind in groups and sessions of its own."""
        if left := await asyncio.to_thread(sweep, owner):
            logger.warning("ended %d processes that steps left behind", left)

    @property
    def commits(self) -> int:
        """Transactions committed since the start."""
        return self._store.writer.groups

    @property
    def active_runs(self) -> int:
        return len(self._dispatch.active)

    async def health(self) -> dict[str, Any]:
        """How the daemon is; `ok` is said only after a write was made durable."""
        checks: dict[str, Any] = {"active_runs": self.active_runs}
        status = "ok"
        try:
            mark = str(int(time.time()))
            await self._store.writer.run(lambda db: stored.put(db, "health", mark))
            checks["database"] = "ok"
        except Exception as error:
            status, checks["database"] = "degraded", str(error)
        if self._logs.trouble:
            status, checks["logs"] = "degraded", self._logs.trouble
        if self._triggers:
            watcher = self._ledger.watcher
            checks["files"] = {"mode": watcher.mode, "reason": watcher.reason or None}
        return {"status": status, "version": __version__, "checks": checks}
