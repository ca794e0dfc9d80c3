"""The file space: whole files, whole errors."""

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nexaflow_cli.errors import (
    ConflictError,
    InvalidError,
    NexaflowFileNotFoundError,
    NotAllowedError,
    TooLargeError,
    UnavailableError,
)
from nexaflow_cli.files.mounts import Mounts
from nexaflow_cli.files.paths import is_temp
from nexaflow_cli.files.space import FileSpace

SHM = Path("/dev/shm")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


@pytest.fixture
def space(root: Path) -> FileSpace:
    return FileSpace(Mounts({"/": root}))


def test_what_is_written_is_read(space: FileSpace, root: Path) -> None:
    wrote = space.write("/in/new/a.txt", b"hello")
    assert (wrote.path, wrote.size) == ("/in/new/a.txt", 5)
    assert space.read("/in/new/a.txt") == b"hello"
    assert (root / "in/new/a.txt").read_bytes() == b"hello"
    assert space.stat("/in/new/a.txt") == wrote
    assert space.exists("/in/new/a.txt")
    assert wrote.modified == pytest.approx(wrote.modified_ns / 1e9)


def test_each_version_of_a_file_has_its_own_etag(space: FileSpace) -> None:
    first = space.write("/a", b"one")
    second = space.write("/a", b"two")
    assert first.etag != second.etag
    assert first.seen != second.seen
    assert first.etag[0] == first.etag[-1] == '"'


def test_a_large_body_comes_in_pieces(space: FileSpace) -> None:
    wrote = space.write("/big", (bytes([n]) * 70_000 for n in range(50)))
    assert wrote.size == 3_500_000
    with space.open_write("/pushed") as writer:
        writer.write(b"one ")
        assert not space.exists("/pushed")
        writer.write(b"two")
        assert writer.commit().size == 7
    assert space.read("/pushed") == b"one two"


def test_a_body_that_breaks_off_changes_nothing(space: FileSpace, root: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionError

    space.write("/a", b"whole")
    with pytest.raises(ConnectionError):
        space.write("/a", broken())
    with space.open_write("/b") as writer:
        writer.write(b"half")
    assert space.read("/a") == b"whole"
    assert [path.name for path in root.iterdir()] == ["a"]


def test_a_reader_sees_the_old_content_or_the_new_one(space: FileSpace) -> None:
    contents = {b"a" * 100_000, b"b" * 100_000}
    space.write("/a", b"a" * 100_000)
    done = threading.Event()

    def write() -> None:
        for _ in range(20):
            for content in contents:
                space.write("/a", content)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        assert space.read("/a") in contents
    writer.join()


def test_content_waits_beside_its_place_under_a_reserved_name(space: FileSpace, root: Path) -> None:
    with space.open_write("/in/a") as writer:
        writer.write(b"x")
        (waiting,) = (root / "in").iterdir()
        assert is_temp(waiting.name)
        assert space.list("**") == []
    assert list((root / "in").iterdir()) == []


def test_replacing_a_file_keeps_who_may_read_it(space: FileSpace, root: Path) -> None:
    space.write("/a", b"1")
    (root / "a").chmod(0o640)
    space.write("/a", b"2")
    assert stat.S_IMODE((root / "a").stat().st_mode) == 0o640


def test_a_symlink_inside_is_written_through(space: FileSpace, root: Path) -> None:
    space.write("/real.txt", b"1")
    (root / "alias.txt").symlink_to("real.txt")
    space.write("/alias.txt", b"2")
    assert space.read("/real.txt") == b"2"
    assert (root / "alias.txt").is_symlink()


def test_appending_adds_whole_pieces_whoever_else_does(space: FileSpace) -> None:
    assert space.append("/logs/a.log", b"first\n").size == 6

    def add(name: int) -> None:
        for _ in range(50):
            space.append("/logs/a.log", b"%d-%s\n" % (name, b"x" * 500))

    threads = [threading.Thread(target=add, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = space.read("/logs/a.log").splitlines()
    assert len(lines) == 201
    assert {len(line) for line in lines[1:]} == {502}


def test_reading_stops_at_the_limit(space: FileSpace) -> None:
    space.write("/a", b"12345")
    assert space.read("/a", limit=5) == b"12345"
    with pytest.raises(TooLargeError, match="larger than 4 bytes"):
        space.read("/a", limit=4)


@pytest.mark.parametrize(
    ("target", "lands"), [("/b/c.txt", "/b/c.txt"), ("/b/", "/b/a.txt"), ("/", "/a.txt")]
)
def test_copy_and_move_take_a_file_or_a_folder_as_target(
    space: FileSpace, target: str, lands: str
) -> None:
    content = os.urandom(300_000)
    space.write("/in/a.txt", content)
    copied = space.copy("/in/a.txt", target)
    assert copied == space.stat(lands)
    assert space.read(lands) == content
    before = space.stat("/in/a.txt")
    moved = space.move("/in/a.txt", target)
    assert moved.seen == before.seen
    assert moved.path == lands
    assert not space.exists("/in/a.txt")


def test_a_copy_is_a_new_file_with_the_mode_of_the_old(space: FileSpace, root: Path) -> None:
    source = space.write("/run.sh", b"#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    target = space.copy("/run.sh", "/bin/run.sh")
    assert target.inode != source.inode
    assert stat.S_IMODE((root / "bin/run.sh").stat().st_mode) == 0o755


def test_an_empty_file_is_copied(space: FileSpace) -> None:
    space.write("/a", b"")
    assert space.copy("/a", "/b").size == 0


@pytest.mark.skipif(not SHM.is_dir(), reason="needs a second file system")
def test_a_move_between_file_systems_leaves_nothing_behind(
    space: FileSpace, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = SHM / f"nexaflow-test-{os.getpid()}"
    other.mkdir()
    try:
        space = FileSpace(Mounts({"/": root, "/ext": other}))
        space.write("/a", b"content")
        moved = space.move("/a", "/ext/deep/a")
        assert moved == space.stat("/ext/deep/a")
        assert space.read("/ext/deep/a") == b"content"
        assert [found.path for found in space.list("**")] == ["/ext/deep/a"]
        assert space.copy("/ext/deep/a", "/back").size == 7
    finally:
        for path in sorted(other.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        other.rmdir()


def test_deleting_removes_the_name_and_not_what_a_symlink_points_to(
    space: FileSpace, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside.txt").write_text("keep me")
    (root / "way.txt").symlink_to(tmp_path / "outside.txt")
    space.delete("/way.txt")
    assert not (root / "way.txt").is_symlink()
    assert (tmp_path / "outside.txt").read_text() == "keep me"
    with pytest.raises(NexaflowFileNotFoundError):
        space.delete("/way.txt")


TREE = ("/a.txt", "/b.md", "/in/a.txt", "/in/b.json", "/in/sub/c.txt", "/in/sub/deep/d.txt")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("/in/*.txt", ["/in/a.txt"]),
        ("/in/**/*.txt", ["/in/a.txt", "/in/sub/c.txt", "/in/sub/deep/d.txt"]),
        ("*.txt", ["/a.txt", "/in/a.txt", "/in/sub/c.txt", "/in/sub/deep/d.txt"]),
        ("/*", ["/a.txt", "/b.md"]),
        ("/in/*/*", ["/in/sub/c.txt"]),
        ("/in/{a.txt,sub/c.txt}", ["/in/a.txt", "/in/sub/c.txt"]),
        ("/{in,nowhere}/sub/*", ["/in/sub/c.txt"]),
        ("/in/a.txt", ["/in/a.txt"]),
        ("/in", []),
        ("/nowhere/*", []),
        ("/nowhere.txt", []),
        ("/in/[ab].*", ["/in/a.txt", "/in/b.json"]),
    ],
)
def test_listing_by_pattern(space: FileSpace, pattern: str, expected: list[str]) -> None:
    for path in TREE:
        space.write(path, path.encode())
    found = space.list(pattern)
    assert [file.path for file in found] == expected
    assert found == [space.stat(path) for path in expected]


def test_listing_page_by_page(space: FileSpace) -> None:
    for path in TREE:
        space.append(path, b"x")
    pages, after = [], ""
    while page := space.list("**", after=after, limit=4):
        pages.append([file.path for file in page])
        after = page[-1].path
    assert pages == [list(TREE[:4]), list(TREE[4:])]


@pytest.mark.parametrize("pattern", ["/a/[", "", "/../x*", "a/{b"])
def test_a_malformed_pattern_is_explained(space: FileSpace, pattern: str) -> None:
    with pytest.raises(InvalidError, match="pattern") as caught:
        space.list(pattern)
    assert "/workspace/**/*.txt" in caught.value.hint


READS = ("read", "stat", "open_read", "delete")


@pytest.mark.parametrize("method", READS)
@pytest.mark.parametrize(
    ("path", "error", "says"),
    [
        ("/no/such", NexaflowFileNotFoundError, "no file at '/no/such'"),
        ("/a.txt/below", NexaflowFileNotFoundError, "no file at"),
        ("/folder", InvalidError, "is a folder"),
        ("/", InvalidError, "is a folder"),
        ("/../etc/passwd", InvalidError, "'..'"),
        ("/a\0b", InvalidError, "NUL"),
    ],
)
def test_errors_of_reading_name_the_path_and_what_to_try(
    space: FileSpace, root: Path, method: str, path: str, error: type[Exception], says: str
) -> None:
    space.write("/a.txt", b"x")
    (root / "folder").mkdir()
    with pytest.raises(error) as caught:
        getattr(space, method)(path)
    assert says in caught.value.message  # type: ignore[attr-defined]
    assert caught.value.hint  # type: ignore[attr-defined]


@pytest.mark.parametrize("method", ["write", "append"])
@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/folder", InvalidError),
        ("/a.txt/below", ConflictError),
        ("/a.txt/", InvalidError),
        ("/way/b", NotAllowedError),
        ("/way.txt", NotAllowedError),
    ],
)
def test_errors_of_writing_change_nothing(
    space: FileSpace, root: Path, tmp_path: Path, method: str, path: str, error: type[Exception]
) -> None:
    space.write("/a.txt", b"x")
    (root / "folder").mkdir()
    (root / "way").symlink_to(tmp_path)
    (root / "way.txt").symlink_to("/etc/hostname")
    with pytest.raises(error):
        getattr(space, method)(path, b"y")
    assert sorted(path.name for path in root.iterdir()) == ["a.txt", "folder", "way", "way.txt"]
    assert space.read("/a.txt") == b"x"


def test_a_pipe_is_not_waited_for(space: FileSpace, root: Path) -> None:
    os.mkfifo(root / "pipe")
    for attempt in (space.read, space.stat, lambda path: space.append(path, b"x")):
        with pytest.raises((InvalidError, UnavailableError)):
            attempt("/pipe")
    assert not space.exists("/pipe")


@pytest.mark.parametrize(
    ("source", "target", "error"),
    [
        ("/a", "/a", InvalidError),
        ("/no", "/b", NexaflowFileNotFoundError),
        ("/folder", "/b", InvalidError),
        ("/a", "/folder", InvalidError),
        ("/a", "/a/b", ConflictError),
    ],
)
def test_copy_and_move_refuse_what_makes_no_sense(
    space: FileSpace, root: Path, source: str, target: str, error: type[Exception]
) -> None:
    space.write("/a", b"x")
    (root / "folder").mkdir()
    for method in (space.copy, space.move):
        with pytest.raises(error):
            method(source, target)
        assert space.read("/a") == b"x"


def test_nothing_is_written_where_a_mounts_directory_is_not_there(root: Path) -> None:
    space = FileSpace(Mounts({"/": root, "/ext": root.parent / "unplugged"}))
    for attempt in (space.read, lambda path: space.write(path, b"x"), space.delete):
        with pytest.raises(UnavailableError, match="is not there"):
            attempt("/ext/a")
    assert not (root.parent / "unplugged").exists()


def test_what_a_crash_left_is_swept_when_it_is_old(space: FileSpace, root: Path) -> None:
    names = [".nexaflow-00000000000000aa.tmp", ".nexaflow-00000000000000bb.tmp"]
    space.write("/in/a", b"x")
    for name in names:
        (root / "in" / name).write_bytes(b"half")
    os.utime(root / "in" / names[0], (0, 0))
    assert space.sweep() == 1
    assert sorted(path.name for path in (root / "in").iterdir()) == [names[1], "a"]
