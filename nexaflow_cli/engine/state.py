"""What is known of one run: a fold over its facts, updated in place, fact by fact."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from nexaflow_cli.engine.facts import Error
from nexaflow_cli.engine.plan import Block, Node, Plan
from nexaflow_cli.engine.scope import NoEvent, StepNames, StepView
from nexaflow_cli.engine.transitions import ENDED_STEP, RunStatus, StepStatus


class StepState:
    """One step of the run, or one item of a for_each; `key` names it in facts."""

    __slots__ = (
        "attempt",
        "due",
        "error",
        "failures",
        "frame",
        "index",
        "inner",
        "interruptions",
        "item_scope",
        "key",
        "node",
        "output",
        "reason",
        "started_at",
        "status",
        "stopping",
        "values",
    )

    def __init__(self, key: str, node: Node, frame: Frame, index: int) -> None:
        self.key = key
        self.node = node
        self.frame = frame
        self.index = index
        self.status = StepStatus.PENDING
        self.attempt = 0
        self.failures = 0
        self.interruptions = 0
        self.started_at: float | None = None
        self.due: float | None = None
        self.stopping: str | None = None
        self.output: Any = None
        self.values: dict[str, str] | None = None
        self.error: Error | None = None
        self.reason: str | None = None
        self.inner: Frame | None = None
        self.item_scope: dict[str, Any] | None = None

    @property
    def scope(self) -> dict[str, Any]:
        """The names that this step's expressions see."""
        return self.item_scope if self.item_scope is not None else self.frame.scope

    @property
    def tolerated(self) -> bool:
        """Whether a failure of this step lets the steps around it go on."""
        return self.node.step.continue_on_error

    @property
    def may_begin(self) -> bool:
        """Whether an attempt may be made, or a composite opened.

        A replay finds a step among those ready from before its retry: that one waits until its
        timer, in firing, takes `due` away.
        """
        if self.status is StepStatus.RETRYING:
            return self.due is None
        return self.status is StepStatus.PENDING

    @property
    def ended(self) -> bool:
        return self.status in ENDED_STEP


class Frame:
    """The steps of one block under way, or the items of one for_each.

    `under_way` has the steps that began and have not ended; `open` counts those that have not
    come to an end of their own, so that a frame in which a step was cancelled is never done.
    A halted frame begins nothing more; it is settled when nothing in it is under way.
    """

    __slots__ = (
        "failed_items",
        "failure",
        "halted",
        "items",
        "next_item",
        "open",
        "owner",
        "prefix",
        "remaining",
        "scope",
        "settled",
        "states",
        "under_way",
    )

    def __init__(self, owner: StepState | None, prefix: str, scope: dict[str, Any]) -> None:
        self.owner = owner
        self.prefix = prefix
        self.scope = scope
        self.states: list[StepState] = []
        self.remaining: list[int] = []
        self.open = 0
        self.halted: str | None = None
        self.settled = False
        self.failure: tuple[str, Error] | None = None
        self.under_way: dict[str, StepState] = {}
        self.items: list[Any] | None = None
        self.next_item = 0
        self.failed_items = 0

    def begun(self) -> Iterator[StepState]:
        """Every step under way in this frame and in those inside it."""
        for step in self.under_way.values():
            yield step
            if step.inner is not None:
                yield from step.inner.begun()

    def halted_by(self, why: str) -> bool:
        """Whether this frame, or one around it, was halted for this reason."""
        frame: Frame | None = self
        while frame is not None:
            if frame.halted == why:
                return True
            frame = frame.owner.frame if frame.owner is not None else None
        return False

    def why_halted(self) -> str | None:
        """Why nothing more begins here, or None: `failure`, `cancel` or `timeout`."""
        frame: Frame | None = self
        while frame is not None:
            if frame.halted is not None:
                return frame.halted
            frame = frame.owner.frame if frame.owner is not None else None
        return None


class RunState:
    """One run. `ready`, `settled` and `halts` are the work that `decide` finds to do."""

    def __init__(
        self,
        plan: Plan,
        run_id: str,
        *,
        event: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
        created_at: float = 0.0,
        version: int = 1,
    ) -> None:
        self.plan = plan
        self.run_id = run_id
        self.event: Mapping[str, Any] = NoEvent() if event is None else event
        self.inputs = inputs or {}
        self.version = version
        self.created_at = created_at
        self.status = RunStatus.QUEUED
        self.started_at: float | None = None
        self.phase = "steps"
        self.outcome: tuple[str, Error | None] | None = None
        self.output: Any = None
        self.error: Error | None = None
        self.cancelling: str | None = None
        self.timed_out = False
        self.ended = False
        self.steps: dict[str, StepState] = {}
        self.frame: Frame | None = None
        self.executing: dict[str, StepState] = {}
        self.ready: deque[StepState] = deque()
        self.settled: deque[Frame] = deque()
        self.halts: deque[Frame] = deque()
        self._timers: list[tuple[float, int, str, StepState | None, int]] = []
        self._timer_count = 0
        self.run_view: dict[str, Any] = {
            "id": run_id,
            "created_at": created_at,
            "started_at": None,
            "status": "running",
            "error": None,
        }
        self.names = StepNames(None, plan.by_id)
        self.scope: dict[str, Any] = {
            "event": self.event,
            "inputs": self.inputs,
            "run": self.run_view,
            "workflow": {
                "name": plan.workflow.name,
                "version": version,
                "labels": dict(plan.workflow.labels),
            },
            "steps": self.names,
        }

    def set_timer(self, due: float, kind: str, step: StepState | None) -> None:
        self._timer_count += 1
        attempt = step.attempt if step is not None else 0
        heapq.heappush(self._timers, (due, self._timer_count, kind, step, attempt))

    def pop_due(self, now: float) -> Iterator[tuple[str, StepState | None]]:
        """Take the timers that are due and still mean something, in order of time."""
        while self._timers and (self._timers[0][0] <= now or not self._live(self._timers[0])):
            timer = heapq.heappop(self._timers)
            if self._live(timer):
                yield timer[2], timer[3]

    def next_due(self) -> float | None:
        """When `decide` has to be asked again if no fact comes before; None: not by itself."""
        while self._timers and not self._live(self._timers[0]):
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def _live(self, timer: tuple[float, int, str, StepState | None, int]) -> bool:
        _, _, kind, step, attempt = timer
        if step is None:
            over = self.frame is not None and self.frame.settled
            going = self.phase == "steps" and not self.timed_out and self.cancelling is None
            return going and not over
        if step.attempt != attempt or (step.inner is not None and step.inner.settled):
            return False
        if kind == "timeout":
            return step.stopping is None and step.status in {
                StepStatus.RUNNING,
                StepStatus.SUSPENDED,
                StepStatus.OPEN,
            }
        return step.status in {StepStatus.RETRYING, StepStatus.SUSPENDED}

    # How frames and steps come to be. Called by the fold only, so that a replay makes the same.

    def open_block(
        self, block: Block, owner: StepState | None, prefix: str, scope: dict[str, Any]
    ) -> Frame:
        frame = Frame(owner, prefix, scope)
        names: StepNames = scope["steps"]
        frame.open = len(block.nodes)
        for node in block.nodes:
            step = StepState(prefix + node.id, node, frame, node.index)
            self.steps[step.key] = step
            names.add(node.id, StepView(step))
            frame.states.append(step)
            frame.remaining.append(node.needs)
            if not node.needs:
                self.ready.append(step)
        if not block.nodes:
            self._settle(frame)
        return frame

    def open_items(self, owner: StepState, items: list[Any]) -> Frame:
        frame = Frame(owner, "", owner.scope)
        frame.items = items
        frame.open = len(items)
        owner.output = [None] * len(items)
        if not items:
            self._settle(frame)
        for _ in range(min(owner.node.max_parallel, len(items))):
            self._admit_item(frame)
        return frame

    def _admit_item(self, frame: Frame) -> None:
        owner = frame.owner
        assert owner is not None and owner.node.body is not None and frame.items is not None
        index = frame.next_item
        frame.next_item += 1
        step = StepState(f"{owner.key}[{index}]", owner.node.body, frame, index)
        item = frame.items[index]
        step.item_scope = {**frame.scope, "item": item, owner.node.var: item, "index": index}
        self.steps[step.key] = step
        self.ready.append(step)

    def begin(self, step: StepState, at: float) -> None:
        """Count a step as under way from its first attempt on."""
        if step.started_at is None:
            step.started_at = at
            step.frame.under_way[step.key] = step

    def end(self, step: StepState) -> None:
        """Let the end of a step have its consequences around it."""
        frame = step.frame
        frame.under_way.pop(step.key, None)
        step.due = None
        if step.status is not StepStatus.CANCELLED:
            frame.open -= 1
        owner = frame.owner
        if frame.items is not None and owner is not None:
            owner.output[step.index] = step.output
        if step.status is StepStatus.FAILED:
            if frame.items is not None:
                frame.failed_items += 1
            if not step.tolerated:
                if frame.failure is None:
                    frame.failure = (step.key, step.error or {})
                self.halt(frame, "failure")
        if frame.items is not None:
            if frame.next_item < len(frame.items) and frame.why_halted() is None:
                self._admit_item(frame)
        elif not frame.halted:
            for dependent in step.node.dependents:
                frame.remaining[dependent.index] -= 1
                if not frame.remaining[dependent.index]:
                    self.ready.append(frame.states[dependent.index])
        if frame.open == 0 or (not frame.under_way and frame.why_halted()):
            self._settle(frame)

    def halt(self, frame: Frame, why: str) -> None:
        """Begin nothing more in a frame and below; what is under way is for `decide`."""
        if frame.settled or (frame.halted and frame.halted != "failure"):
            return
        frame.halted = why
        self.halts.append(frame)
        self._settle_idle(frame)

    def _settle_idle(self, frame: Frame) -> None:
        for step in frame.under_way.values():
            if step.inner is not None:
                self._settle_idle(step.inner)
        if not frame.under_way:
            self._settle(frame)

    def _settle(self, frame: Frame) -> None:
        if not frame.settled:
            frame.settled = True
            self.settled.append(frame)
