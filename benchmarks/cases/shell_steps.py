"""Shell steps a second, beside a bare loop that starts the same shell and waits for it."""

from __future__ import annotations

from benchmarks.model import Context, Row, Target
from benchmarks.sampling import interleave, median, paired_ratio
from benchmarks.subjects import nexaflow, workflows
from benchmarks.subjects.spawn_loop import spawn_loop

ABREAST = 8
BARE = "bare posix_spawn loop"
TWO = "two bare loops at once"
RUNS = f"NexaFlow, a run of shell steps, {ABREAST} at a time"


def run(context: Context) -> list[Row]:
    worker = context.started("nexaflow", nexaflow.engine)
    seconds = context.pick(1.0, 0.4)
    steps = context.pick(800, 250)
    worker.call("apply", source=workflows.shell_steps("shell", steps, ABREAST))

    def ours() -> float:
        rate: float = worker.call("repeat", workflow="shell", times=1)["rate"]
        return rate * steps

    rates = interleave(
        {
            BARE: lambda: spawn_loop(seconds)["rate"],
            RUNS: ours,
            TWO: lambda: spawn_loop(seconds, 2)["rate"],
        },
        rounds=context.pick(4, 2),
        seconds=context.pick(15, 4),
    )

    def row(what: str, against: str = "", target: Target | None = None) -> Row:
        value = median(rates[what])
        if not against:
            return Row(what, value, "steps/s", samples=rates[what])
        ratio = paired_ratio(rates[what], rates[against])
        other = median(rates[against])
        return Row(what, value, "steps/s", against, other, ratio, target, rates[what])

    return [
        row(BARE),
        row(TWO),
        row(RUNS, BARE, Target(0.6, at_least=True, of_ratio=True)),
        row(RUNS, TWO),
    ]
