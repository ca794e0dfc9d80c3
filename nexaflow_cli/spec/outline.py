"""The steps of a document as a tree, whatever state the document is in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nexaflow_cli.spec.places import Path

HANDLERS = ("on_success", "on_failure", "on_cancel", "finally")
PHASES = ("steps", *HANDLERS)


@dataclass(slots=True, eq=False)
class Block:
    """A list of steps.

    Args:
        kind: `steps` or a handler's name at the top; below `group`, `case` or `body` (of for_each).
        owner: the step it is inside of.
    """

    kind: str
    path: Path
    owner: StepNode | None
    steps: list[StepNode] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class StepNode:
    """A step that is at least a mapping; `id` is None where it has none that is text."""

    path: Path
    raw: Mapping[str, Any]
    id: str | None
    block: Block
    index: int
    blocks: list[Block] = field(default_factory=list)

    @property
    def is_loop(self) -> bool:
        return "for_each" in self.raw

    @property
    def variable(self) -> str:
        """The name of the item in a for_each."""
        name = self.raw.get("as", "item")
        return name if isinstance(name, str) else "item"


def outline(data: Any) -> dict[str, Block]:
    """The blocks of a document's phases; what is not a list of mappings is left out."""
    if not isinstance(data, Mapping):
        return {}
    blocks = {}
    for phase in PHASES:
        if isinstance(data.get(phase), list):
            blocks[phase] = _block(phase, data[phase], (phase,), None)
    return blocks


def _block(kind: str, raw: Any, path: Path, owner: StepNode | None) -> Block:
    block = Block(kind, path, owner)
    if not isinstance(raw, list):
        return block
    for position, step in enumerate(raw):
        if isinstance(step, Mapping):
            block.steps.append(_step(step, (*path, position), block))
    return block


def _step(raw: Mapping[str, Any], path: Path, block: Block) -> StepNode:
    name = raw.get("id")
    node = StepNode(path, raw, name if isinstance(name, str) else None, block, len(block.steps))
    if "steps" in raw:
        kind = "body" if node.is_loop else "group"
        node.blocks.append(_block(kind, raw["steps"], (*path, "steps"), node))
    cases = raw.get("switch")
    if isinstance(cases, list):
        for position, case in enumerate(cases):
            if isinstance(case, Mapping):
                inner = (*path, "switch", position, "steps")
                node.blocks.append(_block("case", case.get("steps"), inner, node))
    return node


def every_step(blocks: Mapping[str, Block]) -> Iterator[StepNode]:
    """All steps, each before those inside it."""
    for block in every_block(blocks):
        yield from block.steps


def every_block(blocks: Mapping[str, Block]) -> Iterator[Block]:
    """All lists of steps, each before those inside it."""
    pending = list(blocks.values())[::-1]
    while pending:
        block = pending.pop()
        yield block
        for step in reversed(block.steps):
            pending.extend(reversed(step.blocks))
