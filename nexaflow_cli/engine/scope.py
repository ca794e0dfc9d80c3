"""What expressions see of the steps that ran: names looked up, never copied."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any, Protocol

from nexaflow_cli.engine.facts import Error
from nexaflow_cli.engine.transitions import StepStatus


class NoEvent(dict[str, Any]):
    """`event` in an expression of a run that no event started."""

    why_empty = "the run was started by hand, so there is no event"


class Viewed(Protocol):
    """What is shown of a step."""

    output: Any
    values: dict[str, str] | None
    status: StepStatus
    error: Error | None
    attempt: int


_FIELDS = ("output", "values", "status", "error", "attempts")


class StepView(Mapping[str, Any]):
    """`steps.ID` in an expression."""

    __slots__ = ("_step",)

    def __init__(self, step: Viewed) -> None:
        self._step = step

    def __getitem__(self, name: str) -> Any:
        step = self._step
        if name == "output":
            return step.output
        if name == "status":
            return str(step.status)
        if name == "values":
            return step.values or {}
        if name == "error":
            return step.error
        if name == "attempts":
            return step.attempt
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_FIELDS)

    def __len__(self) -> int:
        return len(_FIELDS)


_NOT_RUN: Mapping[str, Any] = {
    "output": None,
    "values": {},
    "status": "pending",
    "error": None,
    "attempts": 0,
}


class StepNames(Mapping[str, Mapping[str, Any]]):
    """`steps` in an expression: the steps of this scope, then those around it."""

    __slots__ = ("_known", "_outer", "_own")

    def __init__(self, outer: StepNames | None, known: Container[str] = ()) -> None:
        """`known`: all steps that there are, run or not, those of a case not taken too."""
        self._own: dict[str, Mapping[str, Any]] = {}
        self._outer = outer
        self._known = known

    def add(self, name: str, view: StepView) -> None:
        self._own[name] = view

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        names: StepNames | None = self
        while names is not None:
            view = names._own.get(name)
            if view is not None:
                return view
            if name in names._known:
                return _NOT_RUN
            names = names._outer
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        names: StepNames | None = self
        while names is not None:
            yield from names._own
            names = names._outer

    def __len__(self) -> int:
        return sum(1 for _ in self)
