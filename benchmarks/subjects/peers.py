"""Peers from the parent's side: how each is started."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.children import LOOPBACK, Worker, free_port, process, wait_for_port, worker
from benchmarks.environment import PEER_PYTHON, TEMPORAL

DURABLE = ("--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=full")


def dbos(*, wal: bool) -> Callable[[Path], AbstractContextManager[Worker]]:
    """DBOS with its system database in a file: as shipped, or with the file set to WAL."""

    def start(directory: Path) -> AbstractContextManager[Worker]:
        mode = ["wal"] if wal else []
        return worker(
            PEER_PYTHON,
            "benchmarks.subjects.dbos_app",
            directory / "dbos.db",
            *mode,
            log=directory / "log",
        )

    return start


@dataclass(frozen=True, slots=True)
class TemporalServer:
    """A running dev server."""

    pid: int
    address: str


@contextmanager
def temporal_server(directory: Path, *options: str | Path) -> Iterator[TemporalServer]:
    """Temporal's dev server on loopback without its web page, which is the leaner way."""
    port = free_port()
    log = directory / "server.log"
    argv = [TEMPORAL, "server", "start-dev", "--headless", "--ip", LOOPBACK, "--port", str(port)]
    argv += ["--log-level", "error", *options]
    with process(argv, log) as child:
        wait_for_port(child, port, log, 30.0)
        yield TemporalServer(child.pid, f"{LOOPBACK}:{port}")


def temporal_worker(server: TemporalServer, directory: Path) -> AbstractContextManager[Worker]:
    """The process with the workflow, its activities and the client."""
    return worker(
        PEER_PYTHON,
        "benchmarks.subjects.temporal_app",
        server.address,
        log=directory / "worker.log",
    )


def temporal(*, file: bool, wal: bool = False) -> Callable[[Path], AbstractContextManager[Worker]]:
    """A dev server with its worker and client: in memory, in a file, or in a file set to WAL."""

    @contextmanager
    def start(directory: Path) -> Iterator[Worker]:
        options: list[str | Path] = ["--db-filename", directory / "temporal.db"] if file else []
        if wal:
            options += DURABLE
        with (
            temporal_server(directory, *options) as server,
            temporal_worker(server, directory) as conversation,
        ):
            yield conversation

    return start
