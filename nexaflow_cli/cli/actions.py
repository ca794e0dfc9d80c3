"""`nexaflow actions`."""

from typing import Annotated, Any

import typer

from nexaflow_cli.cli import complete, facts, render
from nexaflow_cli.cli.columns import Column, View
from nexaflow_cli.cli.console import out
from nexaflow_cli.cli.framework import group, verb
from nexaflow_cli.cli.options import FormatOption
from nexaflow_cli.cli.render import Format
from nexaflow_cli.cli.text import clean
from nexaflow_cli.errors import NotFoundError

app = group("List what a step can do, with parameters and examples.")

LIST = View(
    (
        Column("ACTION", "name"),
        Column("WHAT IT DOES", "summary", flexible=True),
        Column("OUTPUT", "output", wide=True),
    )
)


@verb(app, "list", "nexaflow actions list", "nexaflow actions list -o name")
def list_(format: FormatOption = Format.table) -> None:
    """List the actions that a step can call."""
    from nexaflow_cli.actions.registry import BUILTIN

    render.show_list([_plain(action) for action in BUILTIN.values()], LIST, format)


@verb(app, "show", "nexaflow actions show http.request")
def show(
    name: Annotated[
        str, typer.Argument(metavar="ACTION", help="Its name.", autocompletion=complete.actions)
    ],
    format: FormatOption = Format.table,
) -> None:
    """Show an action: its parameters, its output, an example."""
    from nexaflow_cli.actions.registry import BUILTIN

    if name not in BUILTIN:
        from difflib import get_close_matches

        close = get_close_matches(name, list(BUILTIN), n=1)
        guess = f"nexaflow actions show {close[0]}" if close else "nexaflow actions list"
        raise NotFoundError(f"there is no action {name!r}", hint=guess)
    item = _plain(BUILTIN[name])
    render.show_one(item, format, lambda wide: _tell(item))


def _plain(action: Any) -> dict[str, Any]:
    return {
        "name": action.name,
        "summary": action.summary,
        "output": action.output,
        "pure": action.pure,
        "with": dict(action.schema),
        "example": action.example,
    }


def _tell(item: dict[str, Any]) -> None:
    facts.show(
        [
            ("action", out.paint(item["name"], "strong")),
            ("does", clean(item["summary"])),
            ("output", _wrapped(clean(item["output"]), len("output  "))),
        ]
    )
    properties = item["with"].get("properties") or {}
    required = set(item["with"].get("required") or ())
    if properties:
        out.line()
        out.line(out.paint("with:", "strong"))
    width = max(map(len, properties), default=0)
    for name, schema in properties.items():
        marks = [kind] if (kind := kind_of(schema)) else []
        if name in required:
            marks.append("required")
        if "default" in schema:
            marks.append(f"default {facts.value(schema['default'])}")
        mark = f"({', '.join(marks)})" if marks else ""
        told = _wrapped(f"{clean(schema.get('description') or '')} {mark}".strip(), width + 4)
        if mark and told.endswith(mark):
            told = told.removesuffix(mark) + out.paint(mark, "muted")
        out.line(f"  {name.ljust(width)}  {told}".rstrip())
    if item["example"]:
        out.line()
        out.line(out.paint("example:", "strong"))
        for line in item["example"].strip("\n").splitlines():
            out.line(f"  {line}")


def _wrapped(text: str, indent: int) -> str:
    """Text that begins `indent` columns from the left, broken between words in a terminal."""
    import textwrap

    room = None if out.width is None else max(out.width - indent, 20)
    if room is None:
        return text
    broken = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)
    return f"\n{' ' * indent}".join(broken)


def kind_of(schema: Any) -> str:
    """The type of a JSON Schema in a word or two."""
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    kind = schema.get("type", "")
    if isinstance(kind, list):
        return " | ".join(kind)
    if not kind:
        parts = [kind_of(part) for part in schema.get("oneOf") or schema.get("anyOf") or []]
        return " | ".join(part for part in dict.fromkeys(parts) if part)
    return str(kind)
