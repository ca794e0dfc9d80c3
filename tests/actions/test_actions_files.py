"""The file actions, over a directory."""

from __future__ import annotations

import re
from typing import Any

import pytest
from actions_bench import Bench

from nexaflow_cli.actions.base import ActionError, Limits


def failed(bench: Bench, action: str, params: dict[str, Any]) -> ActionError:
    with pytest.raises(ActionError) as caught:
        bench.run(action, params)
    return caught.value


def content(bench: Bench, path: str) -> bytes:
    return bench.files.local_path(path).read_bytes()


@pytest.mark.parametrize(
    ("params", "written"),
    [
        ({"content": "grüße\n"}, "grüße\n".encode()),
        ({"content": ""}, b""),
        ({"content": 42}, b"42"),
        ({"json": {"b": 1, "a": [None, "ü"]}}, '{"b":1,"a":[null,"ü"]}\n'.encode()),
        ({"json": None}, b"null\n"),
        ({"json": {"a": 1}, "indent": True}, b'{\n  "a": 1\n}\n'),
        ({"base64": "AP8g\nQQ=="}, b"\x00\xff A"),
    ],
)
def test_write_takes_text_data_and_bytes(
    bench: Bench, params: dict[str, Any], written: bytes
) -> None:
    info = bench.run("file.write", {"path": "/out/a.txt", **params})
    assert content(bench, "/out/a.txt") == written
    assert (info["path"], info["name"], info["size"]) == ("/out/a.txt", "a.txt", len(written))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", info["modified_at"])
    assert info["etag"]


@pytest.mark.parametrize("action", ["file.write", "file.append"])
@pytest.mark.parametrize(
    ("params", "cause"),
    [
        ({}, "give one of `content`, `json` and `base64`, and only one"),
        ({"content": "a", "json": 1}, "give one of `content`, `json` and `base64`, and only one"),
        ({"base64": "no!"}, "`base64` is no base64"),
        ({"content": {"a": 1}}, "`content` must be text; for other data use `json`"),
        ({"json": {"a": object()}}, "`json` cannot be written: "),
        ({"json": 1, "indent": "yes"}, "`indent` must be true or false, but it is text"),
    ],
)
def test_wrong_content_changes_nothing(
    bench: Bench, action: str, params: dict[str, Any], cause: str
) -> None:
    error = failed(bench, action, {"path": "/a", **params})
    assert error.message.startswith(cause)
    assert (error.type, error.retryable) == ("invalid", False)
    assert not bench.files.local_path("/a").exists()


def test_append_adds_lines_of_json(bench: Bench) -> None:
    for n in range(3):
        bench.run("file.append", {"path": "/log.jsonl", "json": {"n": n}})
    assert content(bench, "/log.jsonl") == b'{"n":0}\n{"n":1}\n{"n":2}\n'


@pytest.mark.parametrize(
    ("form", "data", "value"),
    [
        ("text", "a\nß\n".encode(), "a\nß\n"),
        ("text", b"\xef\xbb\xbfbom", "bom"),
        ("json", b'{"a": [1]}\n', {"a": [1]}),
        ("lines", b"a\r\n\nb", ["a", "", "b"]),
        ("base64", b"\x00\xff A", "AP8gQQ=="),
    ],
)
def test_read_makes_what_is_asked_for(bench: Bench, form: str, data: bytes, value: Any) -> None:
    bench.files.local_path("/a").write_bytes(data)
    assert bench.run("file.read", {"path": "/a", "as": form}) == value


@pytest.mark.parametrize(
    ("form", "data", "cause", "type"),
    [
        ("text", b"ab\xff", "/a is not UTF-8 text (byte 2); read it `as: base64`", "content"),
        ("json", b"{\n!", "/a is not JSON: ", "content"),
        (
            "text",
            b"x" * 1025,
            "/a is more than 1 KiB, the most a step's output may be",
            "too-large",
        ),
        ("xml", b"", "`as` must be one of text, json, lines, base64, but it is 'xml'", "invalid"),
    ],
)
def test_read_says_what_does_not_fit(
    bench: Bench, form: str, data: bytes, cause: str, type: str
) -> None:
    bench.limits = Limits(output=1024)
    bench.files.local_path("/a").write_bytes(data)
    error = failed(bench, "file.read", {"path": "/a", "as": form})
    assert error.message.startswith(cause)
    assert error.type == type


def test_copy_leaves_the_file_and_move_takes_it(bench: Bench) -> None:
    bench.files.local_path("/a").write_bytes(b"x")
    assert bench.run("file.copy", {"from": "/a", "to": "/b"})["path"] == "/b"
    assert bench.run("file.move", {"from": "/b", "to": "/c/d"})["path"] == "/c/d"
    assert (content(bench, "/a"), content(bench, "/c/d")) == (b"x", b"x")
    assert not bench.files.local_path("/b").exists()


def test_delete_says_whether_there_was_one(bench: Bench) -> None:
    bench.files.local_path("/a").write_bytes(b"x")
    assert bench.run("file.delete", {"path": "/a"}) == {"path": "/a", "deleted": True}
    gone = bench.run("file.delete", {"path": "/a", "missing_ok": True})
    assert gone == {"path": "/a", "deleted": False}


@pytest.mark.parametrize(
    ("action", "params"),
    [
        ("file.read", {"path": "/none"}),
        ("file.copy", {"from": "/none", "to": "/b"}),
        ("file.move", {"from": "/none", "to": "/b"}),
        ("file.delete", {"path": "/none"}),
    ],
)
def test_a_missing_file_is_named_and_may_come(
    bench: Bench, action: str, params: dict[str, Any]
) -> None:
    error = failed(bench, action, params)
    assert error.message == "no file /none"
    assert (error.type, error.retryable, error.hint) == ("file-not-found", True, "nexaflow ls")


def test_a_path_outside_fails_for_good(bench: Bench) -> None:
    error = failed(bench, "file.write", {"path": "/../x", "content": "a"})
    assert (error.message, error.type) == ("/../x leaves the file space", "invalid")
    assert not error.retryable


def test_trouble_with_the_disk_is_told(bench: Bench) -> None:
    (bench.files.root / "dir").mkdir()
    error = failed(bench, "file.write", {"path": "/dir", "content": "a"})
    assert (error.message, error.type) == ("cannot write /dir: Is a directory", "io")


def test_list_is_sorted_and_complete_or_fails(bench: Bench) -> None:
    for name in ("c.txt", "a.txt", "b.md"):
        bench.files.local_path(f"/{name}").write_bytes(b"x")
    found = bench.run("file.list", {"pattern": "/*.txt"})
    assert [(file["path"], file["size"]) for file in found] == [("/a.txt", 1), ("/c.txt", 1)]
    assert bench.run("file.list", {"pattern": "/*.csv"}) == []
    error = failed(bench, "file.list", {"pattern": "/*", "limit": 2})
    assert error.message == "3 files match /*, more than `limit` (2)"
    assert not error.retryable
