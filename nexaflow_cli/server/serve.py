"""`nexaflow serve`: one process from its first lock to its last commit."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable

from nexaflow_cli.config import DaemonSettings
from nexaflow_cli.runtime import garbage
from nexaflow_cli.server.credential import Credential
from nexaflow_cli.server.lines import log_to_stderr
from nexaflow_cli.server.listener import bind, shown, taken
from nexaflow_cli.server.origin import is_loopback

logger = logging.getLogger(__name__)

FILE_LIMIT = 65536


def serve(settings: DaemonSettings, *, log_level: str = "info") -> int:
    """Run a daemon until SIGTERM or Ctrl-C, and end it in good order.

    A second signal ends the process at once; its children end with it either way.

    Args:
        log_level: debug, info, warning or error.

    Returns:
        The exit code.

    Raises:
        ConflictError: the address or the data directory is in use.
        NotAllowedError: the system forbids the address, or a directory cannot be written.
        UsageError: this machine has no such address, or there is no such level.
    """
    log_to_stderr(log_level)
    _raise_file_limit()
    asyncio.run(_Process(settings).run())
    return 0


class _Process:
    """The life of one serving process."""

    def __init__(self, settings: DaemonSettings) -> None:
        self._settings = settings
        self._stop = asyncio.Event()
        self._at_once: Callable[[], None] = lambda: None

    async def run(self) -> None:
        settings = self._settings
        listener = bind(settings.host, settings.port)
        try:
            # Imported once the address is ours: a taken port is told at once.
            from nexaflow_cli.runtime.daemon import Daemon
            from nexaflow_cli.server.app import create_app
            from nexaflow_cli.server.wire import HttpServer

            self._catch_signals()
            port = listener.getsockname()[1]
            daemon = Daemon(settings)
            credential = Credential(_url(settings.host, port), daemon.local_key, settings.data_dir)
            await daemon.start()
            try:
                server = HttpServer(create_app(daemon), grace=settings.grace)
                serving = asyncio.create_task(server.serve([listener]))
                try:
                    await _ready(server.ready, serving, settings.host, port)
                    self._at_once = credential.remove
                    credential.write()
                    self._announce(credential, port)
                    await self._until_stopped(serving)
                finally:
                    credential.remove()
                    server.leave()
                    await asyncio.wait((serving,))
            finally:
                await daemon.stop()
        finally:
            listener.close()
        logger.info("stopped")

    async def _until_stopped(self, serving: asyncio.Task[None]) -> None:
        garbage.settle()
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait((stopping, serving), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if serving.done():
            serving.result()  # it ends by itself only with an error
        logger.info("stopping: what runs gets %g s", self._settings.grace)

    def _announce(self, credential: Credential, port: int) -> None:
        host, data = self._settings.host, self._settings.data_dir
        if not is_loopback(host):
            logger.warning(
                "%s is open to the network; until users are created the only key is that of this "
                "machine's user, in %s",
                shown(host, port),
                credential.path,
            )
        sys.stderr.write(f"listening on {_url(host, port)} (data: {data})\n")
        sys.stderr.flush()

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            # One that is ignored stays so: `nohup` has its reasons.
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self._signalled, number)

    def _signalled(self, number: signal.Signals) -> None:
        if not self._stop.is_set():
            self._stop.set()
            return
        self._at_once()
        logger.warning("%s again: ending at once; the next start goes on from here", number.name)
        os._exit(128 + number)


async def _ready(ready: asyncio.Event, serving: asyncio.Task[None], host: str, port: int) -> None:
    """Wait until connections are taken.

    Raises:
        ConflictError: another process was faster with the same address.
    """
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait((waiting, serving), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if serving.done():
        error = serving.exception()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise taken(host, port) from error
        if error is not None:
            raise error


def _url(host: str, port: int) -> str:
    """Where a client on this machine finds the daemon."""
    if host in {"", "0.0.0.0"}:  # noqa: S104 - a name to translate, no bind
        host = "127.0.0.1"
    elif host == "::":
        host = "::1"
    return f"http://{shown(host, port)}"


def _raise_file_limit() -> None:
    """Each connection, child and watched directory takes a descriptor; take what is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILE_LIMIT if hard == resource.RLIM_INFINITY else min(hard, FILE_LIMIT)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        logger.debug("the limit of open files stays at %d", soft)
