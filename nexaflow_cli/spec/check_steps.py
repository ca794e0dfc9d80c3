"""Ids and order of steps: each id once, `needs` that exist and form no cycle."""

from __future__ import annotations

from collections.abc import Mapping

from nexaflow_cli.spec.findings import Findings
from nexaflow_cli.spec.nearest import did_you_mean
from nexaflow_cli.spec.outline import Block, StepNode, every_block, every_step

MAX_STEPS = 20_000


def check_steps(blocks: Mapping[str, Block], findings: Findings) -> Order:
    """Check ids and needs of all steps; the order that follows from them is for other checks."""
    by_id: dict[str, StepNode] = {}
    count = 0
    for step in every_step(blocks):
        count += 1
        if step.id is None or findings.is_full():
            continue
        if step.id in by_id:
            first = findings.line_of((*by_id[step.id].path, "id"))
            findings.add(
                "duplicate-id",
                f"another step has the id `{step.id}`, on line {first}",
                (*step.path, "id"),
                "ids are unique in a workflow, inside groups and branches too",
            )
        else:
            by_id[step.id] = step
    if count > MAX_STEPS:
        findings.add("too-large", f"the workflow has more than {MAX_STEPS:,} steps", ("steps",))
        return Order(by_id, {})
    masks = {id(block): _order(block, by_id, findings) for block in every_block(blocks)}
    return Order(by_id, masks)


class Order:
    """What has run when a step begins."""

    def __init__(self, by_id: dict[str, StepNode], masks: dict[int, list[int] | None]) -> None:
        self.by_id = by_id
        self._masks = masks

    def is_before(self, block: Block, earlier: int, later: int) -> bool:
        """Whether a step of the block has ended, or been skipped, when another begins."""
        masks = self._masks.get(id(block))
        return earlier < later if masks is None else bool(masks[later] >> earlier & 1)


def _order(block: Block, by_id: Mapping[str, StepNode], findings: Findings) -> list[int] | None:
    """For each step a bit mask of those before it; None if they run one after the other."""
    if not any("needs" in step.raw for step in block.steps):
        return None
    needs = [_needs(step, by_id, findings) for step in block.steps]
    waiting = [len(found) for found in needs]
    dependents: list[list[int]] = [[] for _ in needs]
    for index, found in enumerate(needs):
        for need in found:
            dependents[need].append(index)
    masks = [0] * len(needs)
    ready = [index for index, count in enumerate(waiting) if not count]
    while ready:
        index = ready.pop()
        for need in needs[index]:
            masks[index] |= masks[need] | 1 << need
        for dependent in dependents[index]:
            waiting[dependent] -= 1
            if not waiting[dependent]:
                ready.append(dependent)
    _report_cycles(block, needs, {index for index, count in enumerate(waiting) if count}, findings)
    return masks


def _needs(step: StepNode, by_id: Mapping[str, StepNode], findings: Findings) -> list[int]:
    """The places in its block of the steps that a step waits for."""
    if "needs" not in step.raw:
        return [step.index - 1] if step.index else []
    raw = step.raw["needs"]
    found: dict[int, None] = {}
    for position, name in enumerate(raw if isinstance(raw, list) else []):
        path = (*step.path, "needs", position)
        if not isinstance(name, str) or findings.is_broken(path):
            continue
        target = by_id.get(name)
        siblings = [sibling.id for sibling in step.block.steps if sibling.id] if not target else []
        if target is None:
            others = (sibling for sibling in siblings if sibling != step.id)
            findings.add("unknown-step", f"no step `{name}`", path, did_you_mean(name, others))
        elif target.block is not step.block:
            findings.add(
                "needs-across-lists",
                f"`{name}` is in another list of steps",
                path,
                "a step can wait for steps of its own list only",
            )
        elif target is step:
            findings.add("needs-cycle", f"`{name}` needs itself", path)
        elif target.index in found:
            findings.add("duplicate-need", f"`{name}` is listed twice", path, severity="warning")
        else:
            found[target.index] = None
    return list(found)


def _report_cycles(
    block: Block, needs: list[list[int]], stuck: set[int], findings: Findings
) -> None:
    """Show each cycle among the steps that can never begin; others merely wait for a cycle."""
    done: set[int] = set()
    for start in sorted(stuck):
        trail: list[int] = []
        places: dict[int, int] = {}
        index = start
        while index not in done and index not in places:
            places[index] = len(trail)
            trail.append(index)
            # Every stuck step needs a stuck step, so the walk ends only where it has been.
            index = next(need for need in needs[index] if need in stuck)
        if index in places:
            cycle = trail[places[index] :]
            names = [block.steps[one].id or "?" for one in [*cycle, cycle[0]]]
            if len(names) > 12:
                names = [*names[:10], "…", names[-1]]
            step = block.steps[cycle[0]]
            path = (*step.path, "needs") if "needs" in step.raw else step.path
            findings.add(
                "needs-cycle",
                "these steps wait for each other: " + " → ".join(names),
                path,
                "each arrow reads `needs`; take one of them away",
            )
        done.update(trail)
