"""The table for people and the JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.model import Row


def number(value: float | None) -> str:
    """Three significant digits, thousands apart."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def show(results: Mapping[str, Sequence[Row]], failures: Mapping[str, str]) -> None:
    """Print every row of every benchmark, then what failed."""
    table = Table(pad_edge=False)
    for heading in ("benchmark", "what"):
        table.add_column(heading, overflow="fold")
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("limit or peer", overflow="fold")
    for heading in ("its value", "ratio", "target"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("reached", no_wrap=True)
    for name, rows in results.items():
        for index, row in enumerate(rows):
            verdict = {None: "", True: "[green]yes[/]", False: "[red]no[/]"}[row.reached]
            table.add_row(
                "" if index else name,
                row.what,
                number(row.value),
                row.unit,
                row.against,
                number(row.against_value),
                number(row.ratio),
                str(row.target or ""),
                verdict,
                end_section=index == len(rows) - 1,
            )
    console = Console()
    if not console.is_terminal:
        console = Console(width=180)
    console.print(table)
    for name, reason in failures.items():
        console.print(f"{name}: failed: {reason}", markup=False, highlight=False)


def save(
    path: Path,
    facts: Mapping[str, Any],
    results: Mapping[str, Sequence[Row]],
    failures: Mapping[str, str],
) -> None:
    """Write everything measured, each sample included, in one piece."""
    document = {
        **facts,
        "benchmarks": {
            name: [
                asdict(row) | {"target": str(row.target or ""), "reached": row.reached}
                for row in rows
            ]
            for name, rows in results.items()
        },
        "failures": dict(failures),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".tmp")
    draft.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    draft.replace(path)
