"""Mounts: virtual prefixes over real directories, with no way out."""

import os
from pathlib import Path

import pytest

from nexaflow_cli.errors import InvalidError, NotAllowedError
from nexaflow_cli.files.mounts import Mounts


@pytest.fixture
def mounts(tmp_path: Path) -> Mounts:
    for name in ("files", "data", "outside"):
        (tmp_path / name).mkdir()
    return Mounts({"/": tmp_path / "files", "/ext/data": tmp_path / "data"})


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/a.txt", "files/a.txt"),
        ("/", "files"),
        ("/ext/a.txt", "files/ext/a.txt"),
        ("/ext/data/a.txt", "data/a.txt"),
        ("/ext/data", "data"),
        ("/ext/database/a.txt", "files/ext/database/a.txt"),
        ("new/deep/path", "files/new/deep/path"),
    ],
)
def test_the_longest_prefix_decides(mounts: Mounts, tmp_path: Path, path: str, place: str) -> None:
    assert mounts.local(path) == tmp_path / place


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("files/a.txt", "/a.txt"),
        ("files", "/"),
        ("data/x/y", "/ext/data/x/y"),
        ("outside/a.txt", None),
        ("filesystem/a.txt", None),
        ("files/ext/data/hidden.txt", None),
        ("files/.nexaflow-0123456789abcdef.tmp", None),
        ("files/line\nbreak", None),
        ("files/bad\udcff", None),
    ],
)
def test_a_real_path_has_a_virtual_one_or_none(
    mounts: Mounts, tmp_path: Path, place: str, path: str | None
) -> None:
    assert mounts.virtual(f"{tmp_path}/{place}") == path


def test_a_symlinked_root_is_known_by_its_real_place(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    mounts = Mounts({"/": tmp_path / "link"})
    assert mounts.local("/a") == tmp_path / "real" / "a"
    assert mounts.virtual(tmp_path / "real" / "a") == "/a"


@pytest.mark.parametrize("target", ["../outside", "/etc", "../../..", "inner/../../outside"])
def test_a_symlink_to_a_folder_outside_is_refused(
    mounts: Mounts, tmp_path: Path, target: str
) -> None:
    (tmp_path / "files" / "way").symlink_to(target)
    for ask in (mounts.local, mounts.entry):
        with pytest.raises(NotAllowedError, match="symlink") as caught:
            ask("/way/a.txt")
        assert "mount" in caught.value.hint


def test_a_file_that_is_a_symlink_leading_out_is_refused_but_can_be_removed(
    mounts: Mounts, tmp_path: Path
) -> None:
    (tmp_path / "files" / "way.txt").symlink_to(tmp_path / "outside" / "secret.txt")
    with pytest.raises(NotAllowedError):
        mounts.local("/way.txt")
    assert mounts.entry("/way.txt") == tmp_path / "files" / "way.txt"


def test_a_symlink_from_one_mount_into_another_leads_out(mounts: Mounts, tmp_path: Path) -> None:
    (tmp_path / "files" / "way").symlink_to(tmp_path / "data")
    with pytest.raises(NotAllowedError):
        mounts.local("/way/a.txt")


def test_a_symlink_inside_is_followed(mounts: Mounts, tmp_path: Path) -> None:
    (tmp_path / "files" / "real").mkdir()
    (tmp_path / "files" / "alias").symlink_to("real")
    assert mounts.local("/alias/a.txt") == tmp_path / "files" / "real" / "a.txt"


def test_a_mount_itself_is_no_entry_to_move_or_remove(mounts: Mounts) -> None:
    for path in ("/", "/ext/data"):
        with pytest.raises(InvalidError, match="folder"):
            mounts.entry(path)


@pytest.mark.parametrize(
    ("roots", "says"),
    [
        ({"/x": "x"}, "nothing is mounted at /"),
        ({"/": "a", "/b": "a/b"}, "lies inside"),
        ({"/": "a", "/b": "a"}, "lies inside"),
        ({"/": "a", "/x": "a-b", "/b": "a/b"}, "lies inside"),
        ({"/": "a", "/b": "b", "b/": "c"}, "twice"),
        ({"/": "a", "/up/../b": "b"}, "'..'"),
        ({"/": "/"}, "whole machine"),
    ],
)
def test_mounts_that_contradict_each_other_are_refused(
    tmp_path: Path, roots: dict[str, str], says: str
) -> None:
    with pytest.raises(InvalidError, match=r".") as caught:
        Mounts({prefix: tmp_path / place for prefix, place in roots.items()})
    assert says in caught.value.message


def test_a_directory_that_is_not_there_says_nothing_about_its_files(tmp_path: Path) -> None:
    mounts = Mounts({"/": tmp_path / "files"})
    (root,) = mounts
    assert "is not there" in mounts.unavailable(root)
    (tmp_path / "files").mkdir()
    assert mounts.unavailable(root) == ""


def test_a_mount_point_where_nothing_is_mounted_any_more_is_unavailable(tmp_path: Path) -> None:
    assert "/proc" in Mounts({"/": tmp_path, "/proc": Path("/proc")}).mounted()
    (tmp_path / "disk").mkdir()
    (tmp_path / "files").mkdir()
    mounts = Mounts({"/": tmp_path / "files", "/disk": tmp_path / "disk"}, mounted={"/disk"})
    assert "nothing is mounted" in mounts.unavailable(mounts.of("/disk/a"))
    assert not os.path.ismount(tmp_path / "disk")
