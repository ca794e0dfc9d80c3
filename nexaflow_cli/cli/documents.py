"""Workflow files: found, read and checked."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nexaflow_cli.errors import InvalidError, NotFoundError, UsageError

if TYPE_CHECKING:
    from nexaflow_cli.spec.diagnostics import Diagnostic
    from nexaflow_cli.spec.model import Workflow

SUFFIXES = (".yaml", ".yml")
# Below this many files, starting processes costs more than it saves.
_MANY = 100
_BATCH = 16


@dataclass(frozen=True, slots=True)
class Source:
    """One file as it was read; `name` is what the user called it."""

    name: str
    data: bytes


@dataclass(slots=True)
class Checked:
    """One file after checking.

    Args:
        name: of the file.
        text: of the whole file.
        workflows: names of the workflows that are in order.
        diagnostics: everything that is to be said about it.
    """

    name: str
    text: str
    workflows: list[str] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        return any(found.severity == "error" for found in self.diagnostics)


class InvalidFileError(InvalidError):
    """A file with errors, where one without is needed."""

    def __init__(self, file: Checked) -> None:
        super().__init__(f"{file.name} is not a valid workflow file")
        self.file = file


def read(paths: Sequence[str]) -> list[Source]:
    """Read files, the workflow files of whole directories, and `-` for standard input.

    Raises:
        NotFoundError: a path that is not there.
        UsageError: a directory without workflow files.
    """
    found: dict[str, Source] = {}
    for path in paths:
        if path == "-":
            found["-"] = Source("<stdin>", sys.stdin.buffer.read())
            continue
        for file in _files(Path(path)):
            found.setdefault(os.path.realpath(file), Source(str(file), file.read_bytes()))
    return list(found.values())


def check(sources: Sequence[Source]) -> Iterator[Checked]:
    """Check each file, in order; many of them on all processors."""
    if len(sources) < _MANY or (os.cpu_count() or 1) < 2:
        yield from map(check_one, sources)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    from nexaflow_cli.actions import registry
    from nexaflow_cli.spec import load

    # A forked process has the modules loaded above already.
    _ = registry, load
    method = "fork" if sys.platform == "linux" else "spawn"
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(min(os.cpu_count() or 1, 8), mp_context=context) as pool:
        yield from pool.map(check_one, sources, chunksize=_BATCH)


def check_one(source: Source) -> Checked:
    """Check one file."""
    from nexaflow_cli.actions.registry import signatures
    from nexaflow_cli.spec.load import load_text

    try:
        text = source.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Checked(source.name, "", diagnostics=[_not_text(source, error)])
    checked = Checked(source.name, text)
    for document in load_text(text, source.name, signatures()):
        checked.diagnostics += document.diagnostics
        if document.workflow is not None:
            checked.workflows.append(document.workflow.name)
    return checked


def _files(path: Path) -> Iterable[Path]:
    if path.is_dir():
        found = sorted(
            file
            for file in path.rglob("*")
            if file.suffix in SUFFIXES
            and file.is_file()
            and not any(part.startswith(".") for part in file.relative_to(path).parts)
        )
        if not found:
            raise UsageError(
                f"there is no workflow file (*.yaml, *.yml) in {path}",
                hint="nexaflow init writes one to start from",
            )
        return found
    if not path.exists():
        raise NotFoundError(f"there is no file or directory {path}")
    return [path]


def _not_text(source: Source, error: UnicodeDecodeError) -> Diagnostic:
    from nexaflow_cli.spec.diagnostics import Diagnostic

    before = source.data[: error.start]
    line = before.count(b"\n") + 1
    column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
    return Diagnostic(
        code="not-utf-8",
        severity="error",
        message=f"the file is not UTF-8 text: byte 0x{source.data[error.start]:02x}",
        file=source.name,
        line=line,
        column=column,
        end_column=column + 1,
        hint="save it as UTF-8",
    )


def one(path: Path) -> tuple[str, Workflow]:
    """The text of a file and the one workflow in it, for a run here and now.

    Raises:
        NotFoundError: there is no such file.
        InvalidFileError: it has errors; they are its diagnostics.
        UsageError: it is a directory, or defines several workflows.
    """
    if path.is_dir():
        raise UsageError(
            f"{path} is a directory, and one file can be run at a time",
            hint=f"nexaflow run {path}/FILE, or nexaflow apply {path} for all of them",
        )
    from nexaflow_cli.actions.registry import signatures
    from nexaflow_cli.spec.load import load_text

    source = next(iter(read([str(path)])))
    checked = check_one(source)
    if checked.failed:
        raise InvalidFileError(checked)
    found = [document.workflow for document in load_text(checked.text, source.name, signatures())]
    workflows = [workflow for workflow in found if workflow is not None]
    if len(workflows) != 1:
        raise UsageError(
            f"{path} defines {len(workflows)} workflows, and one can be run at a time",
            hint="apply the file to a daemon, and run one by its name",
        )
    return checked.text, workflows[0]


def sources_by_name(files: Sequence[Checked]) -> dict[str, str]:
    """The YAML of each workflow, by the name of the workflow."""
    from nexaflow_cli.actions.registry import signatures
    from nexaflow_cli.spec.load import load_text

    return {
        document.name: document.source
        for file in files
        for document in load_text(file.text, file.name, signatures())
    }
