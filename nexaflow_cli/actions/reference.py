"""The reference of the actions as Markdown, made from what they say of themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from nexaflow_cli.actions.base import Action

_HEAD = """\
# Actions

What a step can do without anything else installed. `nexaflow actions list` shows this on the
command line, `nexaflow actions show NAME` one of them. `run: TEXT` in a step is short for the
action `shell`. Paths are those of the file space, such as `/workspace/in/a.txt`.
"""


def reference(actions: Mapping[str, Action]) -> str:
    """The page `docs/actions.md`."""
    return "\n".join([_HEAD, *(_action(action) for action in actions.values())])


def _action(action: Action) -> str:
    rows = "\n".join(
        f"| `{name}` | {kind} | {'yes' if needed else 'no'} | {description} |"
        for name, kind, needed, description in parameters(action.schema)
    )
    return f"""\
## {action.name}

{action.summary}

| `with` | type | required | meaning |
| --- | --- | --- | --- |
{rows}

Output: {action.output}

```yaml
{action.example.rstrip()}
```
"""


def parameters(schema: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str, bool, str]]:
    """Name, type, whether it is required, and description of each parameter, nested ones too."""
    required = schema.get("required", ())
    for name, inner in schema.get("properties", {}).items():
        description = inner["description"]
        if "default" in inner:
            description += f" Default: `{json.dumps(inner['default'])}`."
        yield prefix + name, _kind(inner), name in required, description
        yield from parameters(inner, f"{prefix}{name}.")


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    for word in ("oneOf", "anyOf"):
        if word in schema:
            return " or ".join(dict.fromkeys(_kind(option) for option in schema[word]))
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return {"object": "mapping"}.get(kind, kind) if isinstance(kind, str) else " or ".join(kind)


if __name__ == "__main__":
    from pathlib import Path

    from nexaflow_cli.actions.registry import BUILTIN

    Path("docs/actions.md").write_text(reference(BUILTIN))
