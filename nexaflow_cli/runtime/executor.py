"""Does the attempts that drivers start: renders parameters, runs actions, bounds what they give."""

from __future__ import annotations

import asyncio
import inspect
import logging
import shutil
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from nexaflow_cli.actions.base import (
    Action,
    ActionError,
    Call,
    Children,
    Files,
    Limits,
    Log,
    Result,
    Suspend,
)
from nexaflow_cli.engine.facts import Error
from nexaflow_cli.engine.report import Failed, Outcome, Succeeded, Suspended
from nexaflow_cli.engine.state import StepState
from nexaflow_cli.errors import NexaflowError
from nexaflow_cli.runtime.driver import Driver
from nexaflow_cli.runtime.environment import ChildEnvironment
from nexaflow_cli.runtime.logs import RunLogs
from nexaflow_cli.runtime.masking import Masker
from nexaflow_cli.runtime.parameters import Parameters
from nexaflow_cli.runtime.quiet_log import QuietLog
from nexaflow_cli.spec.expressions import ExpressionError

logger = logging.getLogger(__name__)

_SMALL = (type(None), bool, int, float)


@dataclass(frozen=True, slots=True)
class _Desk:
    """What all attempts of one run have in common."""

    files: Files
    work_dir: Callable[[], Path]
    now: Callable[[], datetime]


class Executor:
    """Runs attempts. Plain actions run at once, the others as tasks, so many at a time."""

    def __init__(
        self,
        actions: Mapping[str, Action],
        *,
        secrets: Mapping[str, str],
        masker: Masker,
        logs: RunLogs,
        files: Callable[[Driver], Files],
        work_dir: Path,
        child_env: Mapping[str, str],
        limits: Limits,
        max_tasks: int,
        children: Children | None = None,
    ) -> None:
        self._actions = actions
        self._plain = {
            name for name, action in actions.items() if not inspect.iscoroutinefunction(action.run)
        }
        self._pure = {name for name in self._plain if actions[name].pure}
        self._parameters = Parameters(actions, secrets)
        self._masker = masker
        self._logs = logs
        self._files = files
        self._work_dir = work_dir
        self._child_env = dict(child_env)
        self._limits = limits
        self._children = children
        self._places = asyncio.Semaphore(max_tasks)
        self._tasks: dict[tuple[str, str, int], asyncio.Task[None]] = {}
        self._leaving = False
        work_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._scratched = {entry.name for entry in work_dir.iterdir()}

    # What drivers ask for.

    def is_pure(self, action: str) -> bool:
        return action in self._pure

    def compute(self, driver: Driver, step: StepState, attempt: int) -> Outcome:
        """Make an attempt of a plain action, here and now."""
        try:
            params, env = self._parameters.render(driver.state, step)
            action = self._actions[step.node.action]
            log = QuietLog(self._logs, driver.run.id, step.key, attempt)
            outcome = self._outcome(action.run(params, self._call(driver, step, attempt, env, log)))
        except Exception as error:
            return self._failure(error)
        log.close()
        return outcome

    def start(self, driver: Driver, step: StepState, attempt: int) -> None:
        """Begin an attempt; its end is reported to the driver."""
        if self._leaving:
            return  # decided before the end began; to the journal it is interrupted
        if step.node.action in self._plain:
            driver.attempt_ended(step.key, attempt, self.compute(driver, step, attempt))
            return
        key = (driver.run.id, step.key, attempt)
        task = asyncio.get_running_loop().create_task(self._attempt(driver, step, attempt))
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._tasks.pop(key, None))

    def stop(self, driver: Driver, step: StepState, attempt: int) -> None:
        """End an attempt; it is reported as failed when it has ended."""
        task = self._tasks.get((driver.run.id, step.key, attempt))
        if task is not None:
            task.cancel()
        else:
            stopped = Failed({"type": "stopped", "message": "stopped"})
            driver.attempt_ended(step.key, attempt, stopped)

    def run_ended(self, run_id: str) -> None:
        """Clear away what a run leaves behind: its scratch directory, its open log."""
        self._logs.end(run_id)
        if run_id in self._scratched:
            self._scratched.discard(run_id)
            scratch = self._work_dir / run_id
            # It may hold a whole checkout: not on the loop.
            asyncio.get_running_loop().run_in_executor(None, _remove, scratch)

    def clear_scratch(self, is_over: Callable[[str], bool]) -> None:
        """Remove what a crash of the daemon kept the ends of runs from removing."""
        for run_id in tuple(self._scratched):
            if is_over(run_id):
                self.run_ended(run_id)

    async def leave(self, patience: float) -> None:
        """Give attempts `patience` seconds to end, then stop them without a report.

        To the journal such an attempt is interrupted: what that means is for the next start.
        """
        if self._tasks and patience > 0:
            await asyncio.wait(self._tasks.values(), timeout=patience)
        self._leaving = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    @property
    def busy(self) -> int:
        """Attempts under way."""
        return len(self._tasks)

    # One attempt.

    async def _attempt(self, driver: Driver, step: StepState, attempt: int) -> None:
        try:
            async with self._places:
                params, env = self._parameters.render(driver.state, step)
                action = self._actions[step.node.action]
                log = self._logs.run(driver.run.id).step(step.key, attempt)
                try:
                    result = action.run(params, self._call(driver, step, attempt, env, log))
                    outcome = self._outcome(
                        await result if isinstance(result, Awaitable) else result
                    )
                finally:
                    log.close()
        except asyncio.CancelledError:
            if self._leaving:
                return
            outcome = Failed({"type": "stopped", "message": "stopped"})
        except Exception as error:
            outcome = self._failure(error)
        driver.attempt_ended(step.key, attempt, outcome)

    def _call(
        self, driver: Driver, step: StepState, attempt: int, env: dict[str, str], log: Log
    ) -> Call:
        run = driver.run
        desk: _Desk = driver.desk or self._lay_out(driver)
        return Call(
            run_id=run.id,
            workflow=run.workflow,
            step=step.key,
            attempt=attempt,
            env=env,
            child_env=ChildEnvironment(self._child_env, run, step.key, attempt),
            work_dir=desk.work_dir,
            files=desk.files,
            log=log,
            now=desk.now,
            limits=self._limits,
            children=self._children,
        )

    def _lay_out(self, driver: Driver) -> _Desk:
        run_id, now = driver.run.id, driver.room.now
        desk = driver.desk = _Desk(
            self._files(driver),
            lambda: self._scratch(run_id),
            lambda: datetime.fromtimestamp(now(), UTC),
        )
        return desk

    def _scratch(self, run_id: str) -> Path:
        path = self._work_dir / run_id
        self._scratched.add(run_id)
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path

    def _outcome(self, result: Any) -> Outcome:
        if isinstance(result, Suspend):
            return Suspended(result.until, self._bounded(result.output))
        if isinstance(result, Result):
            mask = self._masker.mask
            values = {mask(key): mask(value) for key, value in result.values.items()}
            return Succeeded(self._bounded(result.output), values)
        return Succeeded(self._bounded(result))

    def _bounded(self, output: Any) -> Any:
        """The output as JSON data, without secrets and within its limit."""
        if isinstance(output, _SMALL) and not (
            isinstance(output, int) and output.bit_length() > 63  # more than JSON here can hold
        ):
            return output
        output = self._masker.mask_json(output)
        try:
            size = len(orjson.dumps(output))
        except TypeError as error:
            raise ActionError(
                f"the output cannot be kept: {error}", type="output", retryable=False
            ) from None
        if size > self._limits.output:
            raise ActionError(
                f"the output is {size:,} bytes; the limit is {self._limits.output:,}: "
                "write it to a file of the file space and return its path",
                type="output",
                retryable=False,
            )
        return output

    def _failure(self, error: Exception) -> Failed:
        found: Error
        if isinstance(error, ActionError):
            found = {"type": error.type, "message": error.message}
            for name in ("process_exit_code", "http_status", "retry_after", "output"):
                value = getattr(error, name)
                if value is not None:
                    found["exit_code" if name == "process_exit_code" else name] = value
            if not error.retryable:
                found["retryable"] = False
        elif isinstance(error, ExpressionError):
            found = {"type": "expression", "message": str(error), "retryable": False}
        elif isinstance(error, NexaflowError):
            found = {"type": error.code, "message": error.message}
            if error.status < 500:
                found["retryable"] = False
        else:
            # Masked as a whole: the traceback quotes the error, and that may quote a secret.
            trace = self._masker.mask("".join(traceback.format_exception(error)))
            logger.error("an action failed in a way it does not name\n%s", trace)
            found = {"type": type(error).__name__, "message": str(error) or type(error).__name__}
        masked = self._masker.mask_json(found)
        try:
            orjson.dumps(masked)
        except TypeError:
            masked.pop("output", None)
            message = str(masked["message"])  # half a character cannot be kept either
            masked["message"] = message.encode(errors="replace").decode()
        return Failed(masked)


def _remove(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
