"""The files of the file space: write, append, cat, ls, cp, mv, rm."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO
from urllib.parse import quote

import typer

from nexaflow_cli.cli import complete, console, render, state
from nexaflow_cli.cli.columns import Column, View
from nexaflow_cli.cli.console import out
from nexaflow_cli.cli.framework import single, verb
from nexaflow_cli.cli.options import FormatOption
from nexaflow_cli.cli.render import Format
from nexaflow_cli.cli.text import clean
from nexaflow_cli.errors import NotFoundError, UsageError

app = single()

CHUNK = 256 * 1024
LIST = View(
    (
        Column("PATH", "path", "path"),
        Column("SIZE", "size", "size"),
        Column("MODIFIED", "modified_at", "time"),
        Column("ETAG", "etag", wide=True),
    ),
    name="path",
    empty="no files there",
)

PathArgument = Annotated[
    str,
    typer.Argument(metavar="PATH", help="Path in the file space.", autocompletion=complete.paths),
]
PathsArgument = Annotated[
    list[str],
    typer.Argument(metavar="PATH…", help="Paths in the file space.", autocompletion=complete.paths),
]
TextArgument = Annotated[str | None, typer.Argument(metavar="[TEXT]", help="The content itself.")]
InputOption = Annotated[
    str | None,
    typer.Option(
        "--input", "-i", metavar="FILE", help="Where the content is; - for standard input."
    ),
]


@verb(
    app,
    "write",
    "nexaflow write /workspace/inbox/a.txt --input report.txt",
    'echo "hello" | nexaflow write /workspace/inbox/a.txt --input -',
)
def write(
    path: PathArgument,
    text: TextArgument = None,
    input: InputOption = None,
    format: FormatOption = Format.table,
) -> None:
    """Write a file, new or over what is there; workflows see it at once."""
    _send("PUT", path, text, input, format)


@verb(app, "append", 'nexaflow append /workspace/notes.log "one more line"')
def append(
    path: PathArgument,
    text: TextArgument = None,
    input: InputOption = None,
    format: FormatOption = Format.table,
) -> None:
    """Add to the end of a file, and make it if it is not there."""
    _send("POST", path, text, input, format)


@verb(app, "cat", "nexaflow cat /workspace/short/a.txt")
def cat(paths: PathsArgument) -> None:
    """Print files, byte for byte."""
    with state.client() as client:
        for path in paths:
            with client.stream("GET", _address(path)) as response:
                for chunk in response.iter_bytes(CHUNK):
                    sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()


@verb(app, "ls", "nexaflow ls", 'nexaflow ls "/workspace/**/*.txt"', "nexaflow ls /workspace")
def ls(
    pattern: Annotated[
        str,
        typer.Argument(
            metavar="[PATTERN]",
            help="A glob such as /in/**/*.txt, or a folder.",
            autocompletion=complete.paths,
        ),
    ] = "/",
    format: FormatOption = Format.table,
) -> None:
    """List files with their sizes and times."""
    patterns = [pattern]
    if not any(sign in pattern for sign in "*?[{"):
        folder = pattern.rstrip("/")
        patterns = [folder, f"{folder}/**"] if folder else ["/**"]
    with state.client() as client:
        found = [row for each in patterns for row in client.pages("files", pattern=each)]
        render.show_list(found, LIST, format)


@verb(app, "cp", "nexaflow cp /workspace/a.txt /workspace/b.txt")
def cp(source: PathArgument, target: PathArgument, format: FormatOption = Format.table) -> None:
    """Copy a file within the file space."""
    _transfer("copy", source, target, format)


@verb(app, "mv", "nexaflow mv /workspace/a.txt /workspace/done/a.txt")
def mv(source: PathArgument, target: PathArgument, format: FormatOption = Format.table) -> None:
    """Move a file within the file space."""
    _transfer("move", source, target, format)


@verb(app, "rm", "nexaflow rm /workspace/a.txt /workspace/b.txt")
def rm(paths: PathsArgument) -> None:
    """Delete files."""
    with state.client() as client:
        for path in paths:
            client.request("DELETE", _address(path), repeatable=False)
            console.note(f"deleted {path}")


def _send(method: str, path: str, text: str | None, input: str | None, format: Format) -> None:
    with state.client(timeout=120.0) as client:
        if (text is None) == (input is None):
            raise UsageError(
                "say what to write: either TEXT or --input FILE (- for standard input)",
                hint="echo hello | nexaflow write /workspace/a.txt --input -",
            )
        if text is not None:
            body = text.encode() + b"\n"
            item = client.request(method, _address(path), content=body).json()
        elif input == "-":
            body_from = _chunks(sys.stdin.buffer)
            item = client.request(method, _address(path), content=body_from).json()
        else:
            item = _send_file(client, method, path, Path(str(input)))
    _tell(item, format)


def _send_file(client: Any, method: str, path: str, source: Path) -> Any:
    try:
        with source.open("rb") as file:
            return client.request(method, _address(path), content=_chunks(file)).json()
    except FileNotFoundError as error:
        raise NotFoundError(f"there is no file {source} here") from error


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def _transfer(verb: str, source: str, target: str, format: Format) -> None:
    with state.client() as client:
        item = client.post(f"files/{verb}", {"from": source, "to": target})
    _tell(item, format)


def _tell(item: Any, format: Format) -> None:
    def draw(wide: bool) -> None:
        out.line(f"{clean(item['path'])}  {item['size']} bytes")

    render.show_one(item, format, draw, name="path")


def _address(path: str) -> str:
    return "files/" + quote(path.lstrip("/"), safe="/")
