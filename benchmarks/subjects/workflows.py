"""The workflows that are measured, as the YAML a user would write."""

from __future__ import annotations

WIDTH = 10


def three_steps(name: str, call: str) -> str:
    """Three steps in a row; `call` is the action of each, with PREVIOUS for what came before."""
    lines = [f"name: {name}", "steps:"]
    previous = "0"
    for step in ("one", "two", "three"):
        lines.append(f"  - {{id: {step}, {call.replace('PREVIOUS', previous)}}}")
        previous = f"steps.{step}.output.v"
    return "\n".join(lines) + "\n"


def dag(name: str, steps: int, call: str) -> str:
    """Layers of ten; each step needs two of the layer before it and uses what one of them gave.

    Written tightly: ten thousand steps have to stay below the size limit of a definition.
    """
    lines = [f"name: {name}", "steps:"]
    for number in range(steps):
        layer, place = divmod(number, WIDTH)
        needs, previous = "[]", "0"
        if layer:
            first = (layer - 1) * WIDTH + place
            second = (layer - 1) * WIDTH + (place + 1) % WIDTH
            needs, previous = f"[s{first},s{second}]", f"steps.s{first}.output.v"
        lines.append(f"- {{id: s{number}, needs: {needs}, {call.replace('PREVIOUS', previous)}}}")
    return "\n".join(lines) + "\n"


def shell_steps(name: str, steps: int, abreast: int) -> str:
    """A for_each of shell steps that do nothing, so many at a time."""
    return (
        f"name: {name}\nsteps:\n"
        f'  - {{id: spawn, for_each: "${{{{ range({steps}) | list }}}}", '
        f'max_parallel: {abreast}, run: ":"}}\n'
    )


ARRIVALS = """
name: arrivals
triggers:
  - {event: file.created, pattern: "/in/*.txt"}
steps:
  - {id: say, run: date +%s%N, output: text}
"""
"""Its first step says what time it is, in nanoseconds."""

NIGHTLY = """
name: nightly
triggers:
  - {schedule: "30 2 * * *", timezone: UTC}
steps:
  - {id: note, action: log, with: {message: good night}}
"""
"""One with a schedule, so that an idle daemon has a clock to keep."""


LOGGED = """
name: logged
steps:
  - {id: one, action: log, with: {message: one}}
  - {id: two, action: log, with: {message: two}}
  - {id: three, action: log, with: {message: three}}
"""
"""Three steps with an effect, which every daemon has: each is committed before the next."""


def served() -> list[dict[str, str]]:
    """The twenty definitions that a measured daemon is given, as the API takes them."""
    texts = {"arrivals": ARRIVALS, "nightly": NIGHTLY, "logged": LOGGED}
    for number in range(17):
        call = 'action: set, with: {values: {v: "${{PREVIOUS+1}}"}}'
        texts[f"set-{number}"] = three_steps(f"set-{number}", call)
    return [{"filename": f"{name}.yaml", "source": text} for name, text in texts.items()]
