"""Observing: the disk against the record, with nothing half written taken for a version."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from nexaflow_cli.files import observe as observing
from nexaflow_cli.files.ledger import Known, applied
from nexaflow_cli.files.mounts import Mounts
from nexaflow_cli.files.observe import Observation, observe
from nexaflow_cli.files.paths import is_below, parent
from nexaflow_cli.files.settle import Look


class Ledger:
    """A record in memory, as a database would answer."""

    def __init__(self) -> None:
        self.files: dict[str, Known] = {}

    def known(self, paths: Iterable[str]) -> Mapping[str, Known]:
        return {path: self.files[path] for path in paths if path in self.files}

    def known_in(self, folder: str, *, recursive: bool) -> Mapping[str, Known]:
        return {
            path: known
            for path, known in self.files.items()
            if (is_below(path, folder) if recursive else parent(path) == folder)
        }


class Desk:
    def __init__(self, tmp_path: Path) -> None:
        self.root = tmp_path / "files"
        self.root.mkdir()
        self.mounts = Mounts({"/": self.root})
        self.ledger = Ledger()

    def put(self, name: str, text: str = "x", *, age: float = 100.0) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        then = time.time() - age
        os.utime(path, (then, then))

    def look(self, *paths: str, folders: tuple[str, ...] = (), trees: tuple[str, ...] = ()):  # type: ignore[no-untyped-def]
        found = observe(self.mounts, self.ledger, Look(paths, folders, trees), now=time.time())
        self.ledger.files = applied(self.ledger.files, found.changes)
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def told(found: Observation) -> list[tuple[str, str]]:
    return [(change.kind, change.path) for change in found.changes]


def test_single_files(desk: Desk) -> None:
    desk.put("a", age=0)
    assert told(desk.look("/a", "/nothing", "/no/folder")) == [("created", "/a")]
    assert told(desk.look("/a")) == []
    desk.put("a", "longer", age=0)
    assert told(desk.look("/a")) == [("updated", "/a")]
    (desk.root / "a").unlink()
    assert told(desk.look("/a")) == [("deleted", "/a")]


def test_a_renamed_file_seen_in_one_look_moved(desk: Desk) -> None:
    desk.put("a")
    desk.look("/a")
    (desk.root / "a").rename(desk.root / "b")
    assert told(desk.look("/b", "/a")) == [("moved", "/b")]


def test_a_renamed_folder_moves_its_files_however_young(desk: Desk) -> None:
    desk.put("old/a", age=0)
    desk.put("old/sub/b", age=0)
    desk.look("/old/a", "/old/sub/b")
    (desk.root / "old").rename(desk.root / "new")
    found = desk.look(trees=("/old", "/new"))
    assert told(found) == [("moved", "/new/a"), ("moved", "/new/sub/b")]
    assert found.young == []


def test_a_scan_finds_what_nobody_hinted_at(desk: Desk) -> None:
    for name in ("a", "in/b", "in/c"):
        desk.put(name)
    desk.look(trees=("/",))
    desk.put("in/b", "changed")
    (desk.root / "in/c").unlink()
    desk.put("in/d")
    assert told(desk.look(trees=("/",))) == [
        ("updated", "/in/b"),
        ("deleted", "/in/c"),
        ("created", "/in/d"),
    ]
    assert told(desk.look(trees=("/",))) == []


def test_a_folder_is_looked_at_one_level_deep(desk: Desk) -> None:
    desk.put("in/a")
    desk.put("in/sub/b")
    assert told(desk.look(folders=("/in",))) == [("created", "/in/a")]
    desk.look(trees=("/",))
    (desk.root / "in/a").unlink()
    (desk.root / "in/sub/b").unlink()
    assert told(desk.look(folders=("/in",))) == [("deleted", "/in/a")]


def test_a_deleted_folder_takes_its_files(desk: Desk) -> None:
    desk.put("in/a")
    desk.look(trees=("/",))
    (desk.root / "in/a").unlink()
    (desk.root / "in").rmdir()
    assert told(desk.look(trees=("/in",))) == [("deleted", "/in/a")]


def test_a_listed_file_that_changed_just_now_waits_unless_it_is_closed(desk: Desk) -> None:
    for name in ("writing", "closed"):
        desk.put(name, age=0)
    desk.put("old")
    found = desk.look("/closed", trees=("/",))
    assert told(found) == [("created", "/closed"), ("created", "/old")]
    assert found.young == ["/writing"]
    assert told(desk.look(*found.young)) == [("created", "/writing")]


def test_files_of_a_vanished_mount_are_not_deleted(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "a").write_text("x")
    os.utime(disk / "a", (0, 0))
    desk.mounts = Mounts({"/": desk.root, "/disk": disk})
    assert told(desk.look(trees=("/",))) == [("created", "/disk/a")]
    disk.rename(tmp_path / "elsewhere")
    found = desk.look("/disk/a", folders=("/disk",), trees=("/",))
    assert told(found) == []
    assert "/disk" in found.skipped.unreadable
    (tmp_path / "elsewhere").rename(disk)
    assert told(desk.look(trees=("/",))) == []


def test_a_file_replaced_by_a_symlink_or_a_folder_is_deleted(desk: Desk, tmp_path: Path) -> None:
    for name in ("a", "b", "in/c"):
        desk.put(name)
    desk.look(trees=("/",))
    for name in ("a", "b"):
        (desk.root / name).unlink()
    (desk.root / "a").symlink_to("/etc/hostname")
    (desk.root / "b").mkdir()
    (desk.root / "in").rename(tmp_path / "outside")
    (desk.root / "in").symlink_to(tmp_path / "outside")
    assert told(desk.look("/a", "/b", "/in/c")) == [
        ("deleted", "/a"),
        ("deleted", "/b"),
        ("deleted", "/in/c"),
    ]


@pytest.mark.parametrize("year", [2300, 1700])
def test_a_time_that_no_database_can_hold_is_bounded(desk: Desk, year: int) -> None:
    desk.put("a", age=time.time() - (year - 1970) * 31_556_952)
    for found in (desk.look("/a"), desk.look(trees=("/",))):
        assert all(abs(change.seen.mtime_ns) < 2**63 for change in found.changes)
    assert "/a" in desk.ledger.files
    assert told(desk.look(trees=("/",))) == []


def test_a_name_that_a_listing_missed_is_not_deleted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On tmpfs a file that is replaced during a listing may be in none of its halves."""
    desk.put("a")
    desk.put("b")
    desk.look(trees=("/",))
    listed = observing.scan

    def missing_b(*args: Any, **options: Any) -> Iterator[tuple[str, Any]]:
        return (pair for pair in listed(*args, **options) if pair[0] != "/b")

    monkeypatch.setattr(observing, "scan", missing_b)
    assert told(desk.look(trees=("/",))) == []
    desk.put("b", "newer")
    assert told(desk.look(trees=("/",))) == [("updated", "/b")]
