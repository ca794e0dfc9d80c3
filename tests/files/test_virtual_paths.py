"""Virtual paths: one spelling each, and none that could surprise whoever reads a listing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexaflow_cli.errors import InvalidError
from nexaflow_cli.files.paths import (
    is_below,
    is_temp,
    join,
    normalise,
    parent,
    shown,
    temp_name,
    why_not,
)


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("/workspace/a.txt", "/workspace/a.txt"),
        ("workspace/a.txt", "/workspace/a.txt"),
        ("//workspace///a.txt", "/workspace/a.txt"),
        ("/workspace/./a.txt", "/workspace/a.txt"),
        ("/workspace/", "/workspace"),
        ("/", "/"),
        (".", "/"),
        ("/...", "/..."),
        ("/a..b/.hidden", "/a..b/.hidden"),
        ("/Größe/日本語/🙂.txt", "/Größe/日本語/🙂.txt"),
        ("/with space/tab-free", "/with space/tab-free"),
        ("/back\\slash", "/back\\slash"),
        ("/.nexaflow-notes.tmp", "/.nexaflow-notes.tmp"),
    ],
)
def test_a_path_has_one_spelling(written: str, clean: str) -> None:
    assert normalise(written) == clean


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("", "empty"),
        ("/a/../b", "'..'"),
        ("..", "'..'"),
        ("/a\0b", "NUL"),
        ("/a\nb", "control character '\\n'"),
        ("/a\x85b", "control character"),
        ("/a\u2028b", "control character"),
        ("/a\udcffb", "not UTF-8"),
        ("/" + "n" * 256, "longer than 255 bytes"),
        ("/" + "é" * 128, "longer than 255 bytes"),
        ("/" + "/".join(["n" * 200] * 20), "longer than 3,072 bytes"),
        ("/a/.nexaflow-0123456789abcdef.tmp", "reserved"),
    ],
)
def test_a_path_that_cannot_be_kept_is_refused_in_one_printable_line(
    written: str, says: str
) -> None:
    with pytest.raises(InvalidError, match="path") as caught:
        normalise(written)
    assert says in caught.value.message
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 300
    assert caught.value.hint


@settings(deadline=None)
@given(st.text(max_size=40))
def test_normalising_again_changes_nothing(text: str) -> None:
    try:
        clean = normalise(text)
    except InvalidError:
        return
    assert clean.startswith("/")
    assert normalise(clean) == clean
    assert all(not why_not(name) for name in clean.split("/") if name)


def test_names_for_content_in_waiting_are_fresh_and_reserved() -> None:
    names = {temp_name() for _ in range(100)}
    assert len(names) == 100
    assert all(is_temp(name) for name in names)


@pytest.mark.parametrize(
    "name", ["a.tmp", ".nexaflow-.tmp", ".nexaflow-0123456789ABCDEF.tmp", ".nexaflow-0.tmp"]
)
def test_no_other_name_is_reserved(name: str) -> None:
    assert not is_temp(name)


def test_folders_and_names_go_together() -> None:
    assert parent("/a/b.txt") == "/a"
    assert parent("/a") == "/"
    assert parent("/") == "/"
    assert join("/", "a") == "/a"
    assert join("/a", "b") == "/a/b"


@pytest.mark.parametrize(
    ("path", "folder", "expected"),
    [
        ("/a/b", "/a", True),
        ("/a", "/a", True),
        ("/ab", "/a", False),
        ("/a", "/a/b", False),
        ("/x", "/", True),
        ("/", "/", True),
    ],
)
def test_being_below_a_folder_is_about_whole_names(path: str, folder: str, expected: bool) -> None:
    assert is_below(path, folder) is expected


def test_a_long_path_is_quoted_short() -> None:
    assert len(shown("/" + "x" * 5000)) < 130
