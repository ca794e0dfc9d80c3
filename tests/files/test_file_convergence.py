"""The whole chain against a real kernel: whatever is missed on the way, the record is the disk."""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nexaflow_cli.files.ledger import Change, Known, Seen, applied
from nexaflow_cli.files.mounts import Mounts
from nexaflow_cli.files.observe import observe
from nexaflow_cli.files.paths import is_below, parent
from nexaflow_cli.files.scan import scan
from nexaflow_cli.files.settle import Settle
from nexaflow_cli.files.space import FileSpace
from nexaflow_cli.files.watch import Watcher

QUIET = 0.05


class Follower:
    """Watches, settles, looks and keeps the record, as a daemon does."""

    def __init__(self, root: Path, **options: object) -> None:
        self.mounts = Mounts({"/": root})
        self.ready = threading.Event()
        self.files: dict[str, Known] = {}
        self.admitted: list[tuple[str, Seen]] = []
        self.wake: Callable[[], object] = self.ready.set
        self.watcher = Watcher(self.mounts, lambda: self.wake(), **options)  # type: ignore[arg-type]
        self.settle = Settle(QUIET, full_gap=0.1)
        self.looked_at_everything = 0

    def known(self, paths: list[str]) -> dict[str, Known]:
        return {path: self.files[path] for path in paths if path in self.files}

    def known_in(self, folder: str, *, recursive: bool) -> dict[str, Known]:
        return {
            path: known
            for path, known in self.files.items()
            if (is_below(path, folder) if recursive else parent(path) == folder)
        }

    def step(self, at_most: float) -> None:
        due = self.settle.next_due()
        wait = at_most if due is None else min(at_most, max(0.0, due - time.monotonic()))
        self.ready.wait(wait)
        self.ready.clear()
        self.settle.add(self.watcher.take(), time.monotonic())
        look = self.settle.due(time.monotonic())
        if look:
            self.looked_at_everything += "/" in look.trees
            found = observe(self.mounts, self, look, now=time.time(), settle_seconds=QUIET)  # type: ignore[arg-type]
            self.settle.defer(found.young, time.monotonic())
            self.record(found.changes)

    def record(self, made: list[Change]) -> None:
        self.files = applied(self.files, made)
        self.admitted += [
            (change.path, change.seen)
            for change in made
            if change.seen is not None and change.kind in ("created", "updated")
        ]

    def follow(self, work: threading.Thread) -> None:
        """Go on until the work is done and the record is the disk."""
        deadline = time.monotonic() + 60
        while work.is_alive() or self.files != self.disk():
            assert time.monotonic() < deadline, "the record never became the disk"
            self.step(0.2)

    def disk(self) -> dict[str, Known]:
        return {path: Known(*seen) for path, seen in scan(self.mounts)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "files" / "in").mkdir(parents=True)
    return tmp_path / "files"


@pytest.fixture
def following(root: Path) -> Iterator[Follower]:
    follower = Follower(root)
    follower.watcher.start()
    yield follower
    follower.watcher.stop()


def busy(root: Path, seed: int, steps: int) -> None:
    """Whatever people do to files, in no sensible order."""
    chance = random.Random(seed)
    space = FileSpace(Mounts({"/": root}))
    folders = ["in", "in/a", "in/a/b", "out", "out/c"]

    def place() -> Path:
        return root / chance.choice(folders) / f"f{chance.randrange(12)}"

    def write() -> None:
        path = place()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * chance.randrange(1, 5_000))

    def replace() -> None:
        space.write(f"/{place().relative_to(root)}", b"y" * chance.randrange(1, 5_000))

    def rename() -> None:
        place().rename(place())

    def rename_folder() -> None:
        (root / chance.choice(folders)).rename(root / chance.choice(folders))

    def append() -> None:
        with place().open("ab") as file:
            file.write(b"z")

    actions = [write, write, replace, rename, rename_folder, append, lambda: place().unlink()]
    for _ in range(steps):
        try:
            chance.choice(actions)()
        except OSError:
            continue  # not there, or in the way: people make mistakes


@pytest.mark.parametrize("seed", range(4))
def test_after_all_the_bustle_the_record_is_the_disk(
    following: Follower, root: Path, seed: int
) -> None:
    work = threading.Thread(target=busy, args=(root, seed, 400))
    work.start()
    following.follow(work)
    work.join()
    assert following.files


def test_polling_comes_to_the_same_end(root: Path) -> None:
    follower = Follower(root, use_inotify=False, poll_seconds=0.02)
    follower.watcher.start()
    work = threading.Thread(target=busy, args=(root, 99, 400))
    work.start()
    follower.follow(work)
    work.join()
    follower.watcher.stop()


def test_a_burst_that_overflows_the_queue_is_admitted_whole_and_once(
    following: Follower, root: Path
) -> None:
    released = threading.Event()

    def hold() -> None:
        released.wait(60)
        following.ready.set()

    following.wake = hold
    count = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text()) // 2 + 2_000

    def burst() -> None:
        for number in range(count):
            os.close(os.open(root / "in" / f"{number}", os.O_CREAT | os.O_WRONLY))
            if number % 1_000 == 0:
                (root / f"new{number}").mkdir()
                (root / f"new{number}" / "first").write_text("x")
        released.set()

    work = threading.Thread(target=burst)
    work.start()
    following.follow(work)
    work.join()
    assert following.looked_at_everything
    assert len(following.admitted) == len(set(following.admitted))
    assert set(following.admitted) == {(path, seen.seen) for path, seen in following.disk().items()}


def test_a_file_written_in_pieces_ends_up_whole(following: Follower, root: Path) -> None:
    opened, finish = threading.Event(), threading.Event()

    def write() -> None:
        with (root / "in" / "slow").open("wb", buffering=0) as file:
            file.write(b"half")
            opened.set()
            finish.wait(20)
            file.write(b"the rest")

    work = threading.Thread(target=write)
    work.start()
    assert opened.wait(20)
    finish.set()
    following.follow(work)
    work.join()
    assert [path for path, seen in following.admitted if seen.size == 12] == ["/in/slow"]


def test_a_file_replaced_through_the_space_is_updated_once(following: Follower, root: Path) -> None:
    space = FileSpace(following.mounts)
    for content in (b"one", b"two", b"three"):
        thread = threading.Thread(target=space.write, args=("/in/a", content))
        thread.start()
        following.follow(thread)
    assert [seen.size for _, seen in following.admitted][-1] == 5
    assert len(following.admitted) == 3
    assert {path for path, _ in following.admitted} == {"/in/a"}
