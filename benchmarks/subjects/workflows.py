"""The workflows that are measured, as the YAML a user would write."""

from __future__ import annotations

WIDTH = 10


def three_steps(name: str, call: str) -> str:
    """Three steps in a row; `call` is the action of each, with PREVIOUS for what came before."""
    lines = [f"name: {name}", "steps:"]
    previous = "0"
    for step in ("one", "two", "three"):
        lines.append(f"  - {{id: {step}, {call.replace('PREVIOUS', previous)}}}")
        previous = f"steps.{step}.output.value"
    return "\n".join(lines) + "\n"


def dag(name: str, steps: int) -> str:
    """Layers of ten; each step needs two of the layer before it and uses what one of them gave."""
    lines = [f"name: {name}", "steps:"]
    for number in range(steps):
        layer, place = divmod(number, WIDTH)
        if layer:
            first = f"s{layer - 1}_{place}"
            needs = f"[{first}, s{layer - 1}_{(place + 1) % WIDTH}]"
            value = f'"${{{{ steps.{first}.output.value + 1 }}}}"'
        else:
            needs, value = "[]", "0"
        lines.append(
            f"  - {{id: s{layer}_{place}, needs: {needs}, action: set, "
            f"with: {{values: {{value: {value}}}}}}}"
        )
    return "\n".join(lines) + "\n"


def shell_steps(name: str, steps: int, abreast: int) -> str:
    """A for_each of shell steps that do nothing, so many at a time."""
    return (
        f"name: {name}\nsteps:\n"
        f"  - {{id: spawn, for_each: \"${{{{ range({steps}) | list }}}}\", "
        f'max_parallel: {abreast}, run: ":"}}\n'
    )
