"""The shape of the code: who may import whom, what the pure core must not touch, what start costs.

Layers, top first; a module imports from layers below its own, or from its own package. Packages
on one line are siblings and do not know of each other.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import nexaflow_cli

ROOT = Path(nexaflow_cli.__file__).parent
PACKAGE = "nexaflow_cli"

LAYERS: list[set[str]] = [
    {"__main__"},
    {"cli"},
    {"server"},
    {"runtime"},
    {"store", "files", "triggers", "actions", "client"},
    {"engine"},
    {"spec"},
    {"errors", "config", "lean_httpx"},
    {"__init__", "_data"},
]
HEIGHT = {name: len(LAYERS) - level for level, names in enumerate(LAYERS) for name in names}

MAX_LINES = 350

IMPURE = {
    "aiohttp", "asyncio", "concurrent", "ctypes", "fcntl", "glob", "http", "httpx", "io",
    "logging", "multiprocessing", "os", "pathlib", "queue", "random", "requests", "secrets",
    "select", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile",
    "threading", "time", "urllib", "uuid",
}  # fmt: skip
IMPURE_CALLS = {"open", "print", "input", "now", "utcnow", "today", "exec", "eval", "__import__"}

HEAVY = {
    "apscheduler", "fastapi", "httpx", "jinja2", "jsonschema", "pydantic", "rich", "sqlite3",
    "starlette", "typer", "uvicorn", "watchdog", "websockets",
}  # fmt: skip

MODULES = sorted(ROOT.rglob("*.py"))


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _part(path: Path) -> str:
    """The package, or the top-level module, that a file belongs to."""
    relative = path.relative_to(ROOT)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every import of a file: at the top, in functions, for types only."""
    here = [PACKAGE, *path.relative_to(ROOT).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{source}.{alias.name}"


def _own_parts(path: Path) -> Iterator[tuple[int, str]]:
    for line, name in _imports(path):
        first, _, rest = name.partition(".")
        if first == PACKAGE:
            part = rest.partition(".")[0]
            yield line, part if part in HEIGHT else "__init__"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_every_module_belongs_to_a_layer(path: Path) -> None:
    assert _part(path) in HEIGHT, "a new package needs its place among the layers"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_imports_point_downward(path: Path) -> None:
    part = _part(path)
    wrong = [
        f"{_name(path)}:{line} imports {other}"
        for line, other in _own_parts(path)
        if other != part and HEIGHT[other] >= HEIGHT[part]
    ]
    assert not wrong


@pytest.mark.parametrize("path", sorted((ROOT / "engine").glob("*.py")), ids=_name)
def test_the_engine_is_pure(path: Path) -> None:
    """No IO, no clock, no chance: the same facts lead to the same decisions anywhere."""
    wrong = [
        f"line {line}: import of {name}"
        for line, name in _imports(path)
        if name.partition(".")[0] in IMPURE
    ]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else None
            if isinstance(node.func, ast.Name):
                called = node.func.id
            if called in IMPURE_CALLS:
                wrong.append(f"line {node.lineno}: call of {called}")
        elif isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.Global):
            wrong.append(f"line {node.lineno}: {type(node).__name__}")
    assert not wrong


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_modules_stay_small(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= MAX_LINES, "split it by subject"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_no_module_is_a_drawer(path: Path) -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
    assert drawers.isdisjoint({path.stem, *path.relative_to(ROOT).parts})


# What start-up costs.


def _modules_after(code: str) -> set[str]:
    """Top-level names of the modules that a fresh interpreter has after running `code`."""
    script = f"import sys\n{code}\nsys.stderr.write('|'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stderr.rpartition("\n")[2].split("|"))


def _tops(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def test_version_is_answered_before_anything_is_imported() -> None:
    code = (
        "sys.argv = ['nexaflow', '--version']\n"
        "from nexaflow_cli.__main__ import main\n"
        "assert main() == 0"
    )
    modules = _modules_after(code)
    assert {name for name in modules if name.startswith("nexaflow_cli.")} == {
        "nexaflow_cli.__main__"
    }
    assert _tops(modules).isdisjoint(HEAVY | {"asyncio", "yaml", "orjson", "click"})


def test_version_is_printed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", PACKAGE, "--version"], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        f"nexaflow {nexaflow_cli.__version__}\n",
        "",
    )


@pytest.mark.parametrize(
    ("module", "without"),
    [
        ("nexaflow_cli", HEAVY | {"yaml", "orjson", "asyncio"}),
        ("nexaflow_cli.errors", HEAVY | {"yaml", "orjson", "asyncio"}),
        ("nexaflow_cli.config", HEAVY | {"yaml", "orjson", "asyncio", "platformdirs"}),
        ("nexaflow_cli.spec.model", HEAVY | {"asyncio"}),
        ("nexaflow_cli.actions.registry", HEAVY),
        ("nexaflow_cli.cli.app", HEAVY - {"typer", "rich"}),
        ("nexaflow_cli.runtime.daemon", {"fastapi", "starlette", "uvicorn", "rich", "typer"}),
    ],
)
def test_heavy_packages_come_when_they_are_needed(module: str, without: set[str]) -> None:
    assert not _tops(_modules_after(f"import {module}")) & without
