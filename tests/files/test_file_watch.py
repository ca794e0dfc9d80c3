"""The watcher, against a real kernel: whatever happens to a file, a hint leads to it."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nexaflow_cli.files.hints import Hints
from nexaflow_cli.files.inotify import Inotify
from nexaflow_cli.files.mounts import Mounts
from nexaflow_cli.files.paths import parent, temp_name
from nexaflow_cli.files.space import FileSpace
from nexaflow_cli.files.watch import Watcher


class Watched:
    """A watched root, and all hints there have been so far."""

    def __init__(self, root: Path, **options: object) -> None:
        self.root = root
        self.ready = threading.Event()
        self.hints: list[Hints] = []
        self.mounts = Mounts({"/": root})
        self.watcher = Watcher(self.mounts, self.ready.set, **options)  # type: ignore[arg-type]

    def until(self, enough: Callable[[], bool], seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not enough():
            left = deadline - time.monotonic()
            assert left > 0, f"nothing more was hinted after {self.hints[-5:]}"
            self.ready.wait(left)
            self.ready.clear()
            self.hints.append(self.watcher.take())

    def state(self, path: str) -> bool | None:
        """The last word about a file: closed, open, or nothing."""
        states = [hints.paths[path] for hints in self.hints if path in hints.paths]
        return states[-1] if states else None

    def covers(self, path: str) -> bool:
        """Whether any hint so far makes somebody look at a path."""
        above = {path}
        while path != "/":
            path = parent(path)
            above.add(path)
        return any(
            above & (hints.trees | hints.folders | hints.leaving.keys()) or path in hints.paths
            for hints in self.hints
            for path in above
        )


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    root = tmp_path / "files"
    (root / "in" / "deep").mkdir(parents=True)
    watched = Watched(root)
    watched.watcher.start()
    yield watched
    watched.watcher.stop()


def test_a_written_file_is_hinted_as_closed(watched: Watched) -> None:
    assert watched.watcher.mode == "inotify"
    assert watched.watcher.reason == ""
    assert watched.watcher.watches == 3
    (watched.root / "in" / "deep" / "a.txt").write_text("x")
    watched.until(lambda: watched.state("/in/deep/a.txt") is True)


def test_a_file_that_is_being_written_is_hinted_as_open(watched: Watched) -> None:
    with (watched.root / "in" / "a.txt").open("wb", buffering=0) as file:
        file.write(b"half")
        watched.until(lambda: watched.state("/in/a.txt") is False)
        file.write(b"the rest")
    watched.until(lambda: watched.state("/in/a.txt") is True)


def test_a_write_through_the_space_is_one_closed_file(watched: Watched) -> None:
    FileSpace(watched.mounts).write("/in/a.txt", b"x")
    watched.until(lambda: watched.state("/in/a.txt") is True)
    assert {path for hints in watched.hints for path in hints.paths} == {"/in/a.txt"}
    assert not any(hints.leaving or hints.trees for hints in watched.hints)


def test_both_ends_of_a_rename_are_hinted_with_one_number(watched: Watched) -> None:
    (watched.root / "a").write_text("x")
    watched.until(lambda: watched.state("/a") is True)
    (watched.root / "a").rename(watched.root / "in" / "b")
    watched.until(lambda: watched.state("/in/b") is True)
    (cookie,) = {left.cookie for hints in watched.hints for left in hints.leaving.values()}
    assert any(cookie in hints.arrived for hints in watched.hints)
    assert any("/a" in hints.leaving for hints in watched.hints)


@pytest.mark.parametrize(
    ("change", "hinted"),
    [
        pytest.param(lambda path: path.unlink(), "/in/a", id="deleted"),
        pytest.param(lambda path: os.utime(path, (1, 1)), "/in/a", id="touched"),
        pytest.param(lambda path: os.truncate(path, 0), "/in/a", id="truncated"),
        pytest.param(lambda path: os.link(path, f"{path}2"), "/in/a2", id="linked"),
        pytest.param(lambda path: path.rename(path.parents[2] / "out"), "/in/a", id="moved out"),
    ],
)
def test_other_changes_of_a_file_are_hinted(
    watched: Watched, change: Callable[[Path], object], hinted: str
) -> None:
    path = watched.root / "in" / "a"
    path.write_text("x")
    watched.until(lambda: watched.state("/in/a") is True)
    watched.hints.clear()
    change(path)
    watched.until(lambda: watched.covers(hinted))


def test_a_new_folder_is_watched_and_what_it_held_before_is_found(watched: Watched) -> None:
    (watched.root / "new" / "sub").mkdir(parents=True)
    (watched.root / "new" / "sub" / "early").write_text("x")
    watched.until(lambda: watched.covers("/new/sub/early"))
    watched.until(lambda: watched.watcher.watches == 5)
    watched.hints.clear()
    (watched.root / "new" / "sub" / "late").write_text("x")
    watched.until(lambda: watched.state("/new/sub/late") is True)


def test_a_folder_moved_in_brings_its_files_and_is_watched(
    watched: Watched, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere" / "sub").mkdir(parents=True)
    (tmp_path / "elsewhere" / "sub" / "a").write_text("x")
    (tmp_path / "elsewhere").rename(watched.root / "in" / "here")
    watched.until(lambda: watched.covers("/in/here/sub/a"))
    watched.hints.clear()
    (watched.root / "in" / "here" / "sub" / "b").write_text("x")
    watched.until(lambda: watched.state("/in/here/sub/b") is True)


def test_a_renamed_folder_is_watched_under_its_new_name(watched: Watched) -> None:
    (watched.root / "in").rename(watched.root / "out")
    watched.until(lambda: watched.covers("/out/deep/x"))
    assert watched.covers("/in/deep/x")
    watched.hints.clear()
    (watched.root / "out" / "deep" / "a").write_text("x")
    watched.until(lambda: watched.state("/out/deep/a") is True)
    assert watched.watcher.watches == 3


def test_a_folder_moved_out_is_watched_no_more(watched: Watched, tmp_path: Path) -> None:
    (watched.root / "in").rename(tmp_path / "gone")
    watched.until(lambda: watched.covers("/in/deep/x"))
    assert watched.watcher.watches == 1


def test_a_removed_folder_leaves_no_watch(watched: Watched) -> None:
    (watched.root / "in" / "deep").rmdir()
    (watched.root / "in").rmdir()
    (watched.root / "end").write_text("x")
    watched.until(lambda: watched.state("/end") is True)
    assert watched.watcher.watches == 1


def test_what_has_no_virtual_path_is_not_hinted(watched: Watched, tmp_path: Path) -> None:
    (watched.root / temp_name()).write_text("x")
    (watched.root / "line\nbreak").write_text("x")
    (watched.root / "way").symlink_to(tmp_path)
    (watched.root / "end").write_text("x")
    watched.until(lambda: watched.state("/end") is True)
    assert {path for hints in watched.hints for path in hints.paths} <= {"/end", "/way"}
    assert watched.watcher.watches == 3


def test_an_overflow_of_the_kernels_queue_means_look_at_everything(tmp_path: Path) -> None:
    root = tmp_path / "files"
    (root / "in").mkdir(parents=True)
    released, held = threading.Event(), threading.Event()
    watched = Watched(root)

    def hold() -> None:
        # The reading thread waits here while the kernel's queue runs over.
        held.set()
        released.wait(60)
        watched.ready.set()

    watched.watcher._hints._wake = hold
    watched.watcher.start()
    (root / "in" / "first").write_text("x")
    assert held.wait(20)
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    for number in range(limit // 2 + 1_000):
        os.close(os.open(root / "in" / str(number), os.O_CREAT | os.O_WRONLY))
    (root / "unseen").mkdir()
    released.set()
    watched.until(lambda: any("/" in hints.trees for hints in watched.hints))
    watched.until(lambda: watched.watcher.watches == 3)
    watched.watcher._hints._wake = watched.ready.set
    (root / "unseen" / "late").write_text("x")
    watched.until(lambda: watched.state("/unseen/late") is True)
    watched.watcher.stop()


def test_polling_hints_at_the_folders_that_changed(tmp_path: Path) -> None:
    root = tmp_path / "files"
    (root / "in" / "deep").mkdir(parents=True)
    (root / "in" / "deep" / "a").write_text("x")
    watched = Watched(root, use_inotify=False, poll_seconds=0.01)
    watched.watcher.start()
    assert watched.watcher.mode == "polling"
    assert "asked for" in watched.watcher.reason
    watched.until(lambda: any("/" in hints.trees for hints in watched.hints))
    watched.hints.clear()
    (root / "in" / "b").write_text("x")
    watched.until(lambda: watched.covers("/in/b"))
    assert all(hints.folders <= {"/in"} for hints in watched.hints)
    watched.hints.clear()
    (root / "in" / "deep" / "a").unlink()
    watched.until(lambda: watched.covers("/in/deep/a"))
    watched.watcher.stop()


def test_a_lost_root_is_polled_until_it_is_back(watched: Watched, tmp_path: Path) -> None:
    watched.root.rename(tmp_path / "away")
    watched.until(lambda: watched.watcher.mode == "polling")
    assert "was removed" in watched.watcher.reason
    (report,) = watched.watcher.mounts()
    assert (report.mount, report.mode) == ("/", "polling")
    (tmp_path / "away").rename(watched.root)
    watched.watcher._next_retry = 0.0
    watched.hints.clear()
    watched.until(lambda: any("/" in hints.trees for hints in watched.hints))
    watched.until(lambda: watched.watcher.mode == "inotify")
    (watched.root / "back").write_text("x")
    watched.until(lambda: watched.state("/back") is True)


def test_a_child_process_does_not_inherit_the_watches() -> None:
    inotify = Inotify(lambda events: None, lambda reason: None)
    inotify.start()
    assert not os.get_inheritable(inotify._inotify_fd)
    inotify.stop()
    inotify.join()


LIMITED = """
import sys, threading
from pathlib import Path
from nexaflow_cli.files.mounts import Mounts
from nexaflow_cli.files.watch import Watcher
Path(f"/proc/sys/user/max_inotify_{sys.argv[2]}").write_text(sys.argv[3])
root, ready = Path(sys.argv[1]), threading.Event()
watcher = Watcher(Mounts({"/": root}), ready.set, poll_seconds=0.01)
watcher.start()
print(watcher.mode, watcher.reason)
(root / "d7" / "new.txt").write_text("x")
while True:
    assert ready.wait(20)
    ready.clear()
    hints = watcher.take()
    if "/d7" in hints.folders or "/" in hints.trees or "/d7/new.txt" in hints.paths:
        break
watcher.stop()
print("found")
"""


@pytest.mark.parametrize(("what", "count"), [("watches", "4"), ("instances", "0")])
def test_where_the_system_gives_no_more_watches_files_are_polled(
    tmp_path: Path, what: str, count: str
) -> None:
    for number in range(8):
        (tmp_path / f"d{number}").mkdir()
    command = ["unshare", "--user", "--map-root-user"]
    try:
        subprocess.run([*command, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no user namespace of our own to limit")
    script = [sys.executable, "-c", LIMITED, str(tmp_path), what, count]
    done = subprocess.run([*command, *script], check=True, capture_output=True, text=True)
    mode, _, rest = done.stdout.partition(" ")
    assert mode == "polling"
    assert f"limit of inotify {what} is reached" in rest
    assert f"raise fs.inotify.max_user_{what}" in rest
    assert rest.endswith("found\n")
