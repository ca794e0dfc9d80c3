"""The local key, left where only the daemon's own user can read it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import orjson

from nexaflow_cli import __version__, config
from nexaflow_cli.errors import NotAllowedError


class Credential:
    """The word of how to reach one daemon, for the command line of the same user.

    Args:
        url: where the daemon answers; names the file.
        api_key: the local key.
        data_dir: of the daemon.
    """

    def __init__(self, url: str, api_key: str, data_dir: Path) -> None:
        self.path = config.credential_path(url)
        self._content: dict[str, Any] = {
            "url": url,
            "api_key": api_key,
            "pid": os.getpid(),
            "data_dir": str(data_dir),
            "version": __version__,
        }

    def write(self) -> None:
        """Put it in place, whole or not at all.

        Raises:
            NotAllowedError: the directory cannot be written.
        """
        temp = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            fd = os.open(temp, flags, 0o600)
            try:
                os.write(fd, orjson.dumps(self._content, option=orjson.OPT_INDENT_2))
            finally:
                os.close(fd)
            temp.rename(self.path)
        except OSError as error:
            raise NotAllowedError(
                f"the local key cannot be left in {self.path.parent}: {error.strerror}",
                hint="name a directory of your own with NEXAFLOW_STATE_DIR",
            ) from error

    def remove(self) -> None:
        """Take it away, unless another daemon has put its own there."""
        try:
            if orjson.loads(self.path.read_bytes()).get("api_key") == self._content["api_key"]:
                self.path.unlink()
        except (OSError, ValueError, AttributeError):
            pass  # gone, or not ours
