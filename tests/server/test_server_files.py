"""The file space over HTTP."""

from __future__ import annotations

import socket
from base64 import b64decode
from collections.abc import Iterator

import pytest
from served import Served

FILES = "/api/v2/files"


@pytest.fixture
def letter(served: Served, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a file of ten bytes."""
    address = f"{FILES}/letters/{request.node.name[:40].strip('[]')}.txt"
    assert served.http.put(address, content=b"0123456789").status_code == 200
    yield address
    served.http.delete(address)


def test_a_file_is_written_read_appended_to_and_deleted(served: Served) -> None:
    address = f"{FILES}/docs/a.txt"
    made = served.http.put(address, content=b"one\n")
    assert made.json().keys() == {"path", "size", "modified_at", "etag"}
    assert made.json()["path"] == "/docs/a.txt"
    assert (served.daemon.settings.files_dir / "docs/a.txt").read_bytes() == b"one\n"
    assert served.http.post(address, content=b"two\n").json()["size"] == 8
    read = served.http.get(address)
    assert read.content == b"one\ntwo\n"
    assert read.headers["content-type"] == "application/octet-stream"
    assert read.headers["x-content-type-options"] == "nosniff"
    assert read.headers["content-disposition"].startswith("attachment")
    assert served.http.delete(address).status_code == 204
    gone = served.http.get(address)
    assert (gone.status_code, gone.json()["code"]) == (404, "file-not-found")


def test_head_tells_size_and_version(served: Served, letter: str) -> None:
    told = served.http.head(letter)
    assert (told.headers["content-length"], told.content) == ("10", b"")
    assert told.headers["etag"] == served.http.get(letter).headers["etag"]


@pytest.mark.parametrize("name", ["ü n d.txt", "100%.txt", "a?b#c.txt", "x;y=z", "日本.txt", "a+b"])
def test_names_come_back_as_they_went(served: Served, name: str) -> None:
    import urllib.parse

    address = f"{FILES}/names/{urllib.parse.quote(name, safe='')}"
    assert served.http.put(address, content=b"x").json()["path"] == f"/names/{name}"
    assert served.http.get(address).content == b"x"
    assert served.http.delete(address).status_code == 204


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 64 * 1024 + 1, 1024 * 1024])
@pytest.mark.parametrize("chunked", [False, True], ids=["sized", "chunked"])
def test_content_of_any_size_goes_both_ways(served: Served, size: int, chunked: bool) -> None:
    content = bytes(i % 251 for i in range(size))
    pieces = (content[i : i + 10_000] for i in range(0, size, 10_000))
    answer = served.http.put(f"{FILES}/size.bin", content=pieces if chunked else content)
    assert answer.json()["size"] == size
    assert served.http.get(f"{FILES}/size.bin").content == content


@pytest.mark.parametrize("chunked", [False, True], ids=["sized", "chunked"])
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_more_than_the_limit_changes_nothing(
    served: Served, letter: str, method: str, chunked: bool
) -> None:
    content = b"x" * (1024 * 1024 + 1)
    pieces = iter([content[:500_000], content[500_000:]])
    answer = served.http.request(method, letter, content=pieces if chunked else content)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert served.http.get(letter).content == b"0123456789"


def test_an_upload_that_breaks_off_changes_nothing(served: Served, letter: str) -> None:
    head = (
        f"PUT {letter} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n"
        f"Authorization: Bearer {served.daemon.local_key}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port)) as line:
        line.sendall(head.encode() + b"y" * 300_000)
        line.shutdown(socket.SHUT_WR)
        line.recv(1)
    assert served.http.get(letter).content == b"0123456789"
    folder = (served.daemon.settings.files_dir / letter.removeprefix(f"{FILES}/")).parent
    assert not list(folder.glob(".nexaflow-*"))


@pytest.mark.parametrize(
    ("asked", "status", "content", "span"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=10-", 416, None, "bytes */10"),
        ("bytes=-0", 416, None, "bytes */10"),
        ("bytes=3-1", 200, b"0123456789", None),
        ("bytes=0-1,4-5", 200, b"0123456789", None),
        ("lines=1-2", 200, b"0123456789", None),
        ("bytes=-", 200, b"0123456789", None),
    ],
)
def test_a_part_of_a_file(
    served: Served, letter: str, asked: str, status: int, content: bytes | None, span: str | None
) -> None:
    got = served.http.get(letter, headers={"Range": asked})
    assert got.status_code == status
    assert got.headers.get("content-range") == span
    if content is not None:
        assert got.content == content


def test_a_version_that_is_known_is_not_sent_again(served: Served, letter: str) -> None:
    etag = served.http.get(letter).headers["etag"]
    assert served.http.get(letter, headers={"If-None-Match": etag}).status_code == 304
    assert served.http.get(letter, headers={"If-None-Match": '"other"'}).status_code == 200
    part = {"Range": "bytes=0-1", "If-Range": '"other"'}
    assert served.http.get(letter, headers=part).status_code == 200
    assert served.http.get(letter, headers=part | {"If-Range": etag}).status_code == 206


def test_files_are_copied_moved_and_read_together(served: Served, letter: str) -> None:
    source = "/" + letter.removeprefix(f"{FILES}/")
    copied = served.http.post(f"{FILES}/copy", json={"from": source, "to": "/copies/"}).json()
    assert copied["path"].startswith("/copies/")
    moved = served.http.post(f"{FILES}/move", json={"from": copied["path"], "to": "/moved.txt"})
    assert moved.json()["path"] == "/moved.txt"
    both = served.http.post(f"{FILES}/read-many", json={"paths": ["/moved.txt", source]}).json()
    assert [b64decode(item["content"]) for item in both["items"]] == [b"0123456789"] * 2
    missing = served.http.post(f"{FILES}/read-many", json={"paths": [source, "/gone.txt"]})
    assert missing.status_code == 404
    assert "/gone.txt" in missing.json()["detail"]


def test_files_are_listed_by_pages(served: Served) -> None:
    for number in range(5):
        served.http.put(f"{FILES}/list/{number}.txt", content=b"x")
    found: list[str] = []
    cursor: str | None = None
    while True:
        query = {"pattern": "/list/*.txt", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = served.http.get(FILES, params=query).json()
        found += [item["path"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == [f"/list/{number}.txt" for number in range(5)]
    bad = served.http.get(FILES, params={"pattern": "/list/[a"})
    assert bad.status_code == 422


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("../x", 422),
        ("%2e%2e/x", 422),
        ("a/%2E%2E/%2e%2e/%2e%2e/etc/passwd", 422),
        ("..%2f..%2fetc%2fpasswd", 422),
        ("%2fetc%2fpasswd", 404),
        ("a%00b", 422),
        ("a%0ab", 404),
        ("a%ff", 422),
        ("a%c0%ae%c0%ae/x", 422),
        ("%ed%a0%80", 422),
        (".nexaflow-0123456789abcdef.tmp", 422),
        ("x" * 300, 422),
        ("d/" * 2000, 422),
        ("", 422),
    ],
)
def test_paths_that_lead_out_or_cannot_be_are_refused(
    served: Served, path: str, status: int
) -> None:
    with socket.create_connection(("127.0.0.1", served.port)) as line:
        line.sendall(
            f"GET {FILES}/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Authorization: Bearer {served.daemon.local_key}\r\n\r\n".encode()
        )
        answer = line.makefile("rb").read()
    assert int(answer.split()[1]) == status
    assert b"application/problem+json" in answer


def test_the_prefix_of_a_files_address_is_written_as_it_is(served: Served) -> None:
    assert served.http.get("/api/v2/%66iles/x").status_code == 404


def test_a_symlink_that_leads_out_is_not_followed(served: Served, tmp_path_factory: object) -> None:
    served.daemon.settings.files_dir.joinpath("out").symlink_to("/etc")
    got = served.http.get(f"{FILES}/out/passwd")
    assert got.status_code == 403
    served.daemon.settings.files_dir.joinpath("out").unlink()
