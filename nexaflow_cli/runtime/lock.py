"""One process owns a data directory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from nexaflow_cli.errors import ConflictError, NotAllowedError


class DataDirLock:
    """An advisory lock that the kernel drops when the process ends, however it ends."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "lock"
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the data directory, making it if need be.

        Raises:
            ConflictError: another process has it.
            NotAllowedError: it cannot be made or written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise NotAllowedError(
                f"cannot use {self._path.parent} as a data directory: {error.strerror}",
                hint="name another one with --data-dir",
            ) from None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.read(fd, 32).decode(errors="replace").strip()
            os.close(fd)
            raise ConflictError(
                f"the data directory {self._path.parent} is in use by another daemon"
                + (f" (pid {owner})" if owner else ""),
                hint="stop it with `nexaflow daemon stop`, or name another one with --data-dir",
            ) from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
