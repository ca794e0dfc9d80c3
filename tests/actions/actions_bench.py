"""Real parts to call actions with: files in a directory, a log in memory, secrets masked."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from nexaflow_cli.actions.base import Action, Call, FileInfo, Limits
from nexaflow_cli.actions.registry import BUILTIN
from nexaflow_cli.errors import InvalidError, NexaflowFileNotFoundError, TooLargeError

SECRET = "hunter2-hunter2"
NOW = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)


class Directory:
    """The file space over one directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def local_path(self, path: str) -> Path:
        if ".." in path.split("/"):
            raise InvalidError(f"{path} leaves the file space")
        return self.root / path.lstrip("/")

    def _info(self, path: str) -> FileInfo:
        status = self.local_path(path).stat()
        return FileInfo(path, status.st_size, status.st_mtime, f"{status.st_mtime_ns:x}")

    def _there(self, path: str) -> Path:
        local = self.local_path(path)
        if not local.is_file():
            raise NexaflowFileNotFoundError(f"no file {path}", hint="nexaflow ls")
        return local

    async def read(self, path: str, *, limit: int | None = None) -> bytes:
        data = self._there(path).read_bytes()
        if limit is not None and len(data) > limit:
            raise TooLargeError(f"{path} is too large")
        return data

    async def write(self, path: str, data: bytes) -> FileInfo:
        self.local_path(path).parent.mkdir(parents=True, exist_ok=True)
        self.local_path(path).write_bytes(data)
        return self._info(path)

    async def append(self, path: str, data: bytes) -> FileInfo:
        with self.local_path(path).open("ab") as file:
            file.write(data)
        return self._info(path)

    async def copy(self, source: str, target: str) -> FileInfo:
        return await self.write(target, self._there(source).read_bytes())

    async def move(self, source: str, target: str) -> FileInfo:
        info = await self.copy(source, target)
        self.local_path(source).unlink()
        return info

    async def delete(self, path: str) -> None:
        self._there(path).unlink()

    async def list(self, pattern: str) -> list[FileInfo]:
        every = ("/" + str(file.relative_to(self.root)) for file in self.root.rglob("*"))
        return [self._info(path) for path in every if fnmatch(path, pattern)]

    async def exists(self, path: str) -> bool:
        return self.local_path(path).is_file()


@dataclass
class Said:
    """A log that remembers what it was told."""

    stdout: bytes = b""
    stderr: bytes = b""
    lines: list[tuple[str, str]] = field(default_factory=list)
    on_write: Callable[[str, bytes], None] = lambda stream, data: None

    def write(self, stream: str, data: bytes) -> None:
        setattr(self, stream, getattr(self, stream) + data)
        self.on_write(stream, data)

    def line(self, text: str, *, level: str = "info") -> None:
        self.lines.append((level, text))

    def mask(self, text: str) -> str:
        return text.replace(SECRET, "***")


@dataclass
class Bench:
    """Calls actions as a run would, each with its own log."""

    files: Directory
    scratch: Path
    said: Said = field(default_factory=Said)
    child_env: dict[str, str] = field(default_factory=lambda: {"PATH": os.environ["PATH"]})
    limits: Limits = field(default_factory=lambda: Limits(grace=0.2))
    children: Any = None

    def call(self, **env: str) -> Call:
        return Call(
            run_id="r1",
            workflow="tested",
            step="step",
            attempt=1,
            env=env,
            child_env=self.child_env,
            work_dir=lambda: self.scratch,
            files=self.files,
            log=self.said,
            now=lambda: NOW,
            limits=self.limits,
            children=self.children,
        )

    async def do(self, action: str, params: dict[str, Any], **env: str) -> Any:
        found: Action = BUILTIN[action]
        result = found.run(params, self.call(**env))
        return await result if asyncio.iscoroutine(result) else result

    def run(self, action: str, params: dict[str, Any], **env: str) -> Any:
        return asyncio.run(self.do(action, params, **env))
