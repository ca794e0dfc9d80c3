"""Scans: every regular file once, and honesty about what cannot be told."""

import os
from pathlib import Path

import pytest

from nexaflow_cli.files.ledger import Seen
from nexaflow_cli.files.mounts import Mounts
from nexaflow_cli.files.paths import temp_name
from nexaflow_cli.files.scan import Skipped, scan


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "files"
    for name in ("a.txt", "in/b.txt", "in/sub/c.txt", "in/sub/deep/d.txt", "ext/e.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "o.txt").write_text("o")
    return root


@pytest.mark.parametrize(
    ("folder", "recursive", "expected"),
    [
        ("/", True, {"/a.txt", "/in/b.txt", "/in/sub/c.txt", "/in/sub/deep/d.txt", "/ext/e.txt"}),
        ("/", False, {"/a.txt"}),
        ("/in", True, {"/in/b.txt", "/in/sub/c.txt", "/in/sub/deep/d.txt"}),
        ("/in/sub", False, {"/in/sub/c.txt"}),
        ("/nowhere", True, set()),
        ("/a.txt", True, set()),
    ],
)
def test_a_scan_begins_anywhere(
    root: Path, folder: str, recursive: bool, expected: set[str]
) -> None:
    found = dict(scan(Mounts({"/": root}), folder, recursive=recursive))
    assert found.keys() == expected
    for path, seen in found.items():
        status = (root / path[1:]).stat()
        assert seen == Seen(status.st_ino, status.st_size, status.st_mtime_ns)


def test_mounts_are_part_of_a_scan_and_hide_what_they_cover(root: Path, tmp_path: Path) -> None:
    mounts = Mounts({"/": root, "/ext": tmp_path / "outside"})
    assert "/ext/o.txt" in dict(scan(mounts))
    assert "/ext/e.txt" not in dict(scan(mounts))
    assert "/ext/o.txt" not in dict(scan(mounts, across=False))
    assert dict(scan(mounts, "/ext")).keys() == {"/ext/o.txt"}
    assert dict(scan(mounts, "/", recursive=False)).keys() == {"/a.txt"}


def test_what_is_no_ordinary_file_is_passed_over(root: Path, tmp_path: Path) -> None:
    (root / "way").symlink_to(tmp_path / "outside")
    (root / "way.txt").symlink_to(tmp_path / "outside" / "o.txt")
    (root / "alias.txt").symlink_to("a.txt")
    (root / "loop").symlink_to(".")
    os.mkfifo(root / "pipe")
    mounts = Mounts({"/": root})
    assert len(dict(scan(mounts))) == 5
    assert dict(scan(mounts, "/loop")) == {}
    assert dict(scan(mounts, "/way")) == {}


def test_names_that_have_no_virtual_path_are_told(root: Path) -> None:
    (root / "line\nbreak.txt").write_text("x")
    Path(os.fsdecode(os.fsencode(root) + b"/bad\xff.txt")).write_text("x")
    (root / "no-break\u00a0space.txt").write_text("x")
    left = temp_name()
    (root / "in" / left).write_text("x")
    skipped = Skipped()
    found = dict(scan(Mounts({"/": root}), skipped=skipped))
    assert "/no-break\u00a0space.txt" in found
    assert len(found) == 6
    assert len(skipped.unnamed) == 2
    assert all(name.isprintable() for name in skipped.unnamed)
    assert skipped.leftovers == [str(root / "in" / left)]


def test_what_cannot_be_read_is_told(root: Path, tmp_path: Path) -> None:
    skipped = Skipped()
    mounts = Mounts({"/": root, "/gone": tmp_path / "unplugged"})
    assert len(dict(scan(mounts, skipped=skipped))) == 5
    assert skipped.unreadable == ["/gone"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_folder_is_unreadable_not_empty(root: Path) -> None:
    (root / "in").chmod(0)
    skipped = Skipped()
    dict(scan(Mounts({"/": root}), skipped=skipped))
    (root / "in").chmod(0o755)
    assert skipped.unreadable == ["/in"]
