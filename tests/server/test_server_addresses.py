"""Names that a browser may be sent to, versions that a client may be of."""

from __future__ import annotations

import pytest

from nexaflow_cli.server.notice import mismatch
from nexaflow_cli.server.origin import is_local_name, is_loopback, is_same_origin


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        (b"localhost", True),
        (b"localhost:8080", True),
        (b"LOCALHOST.:1", True),
        (b"127.0.0.1:9000", True),
        (b"127.8.8.8", True),
        (b"[::1]:8080", True),
        (b"flow.localhost", True),
        (b"evil.example", False),
        (b"localhost.evil.example", False),
        (b"127.0.0.1.evil.example", False),
        (b"127.0.0.1@evil.example", False),
        (b"10.0.0.1:8080", False),
        (b"0.0.0.0", False),
        (b"", False),
        (b"[::1", False),
        (b"\xff", False),
    ],
)
def test_a_host_header_that_can_only_mean_this_machine(host: bytes, is_local: bool) -> None:
    assert is_local_name(host) is is_local


def test_where_a_daemon_that_is_open_to_the_network_listens() -> None:
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("::")


@pytest.mark.parametrize(
    ("origin", "is_same"),
    [
        (b"http://127.0.0.1:8080", True),
        (b"http://127.0.0.1:8081", False),
        (b"http://evil.example", False),
        (b"null", False),
        (b"\xff", False),
        (b"http://[", False),
    ],
)
def test_pages_of_the_daemons_own_address(origin: bytes, is_same: bool) -> None:
    assert is_same_origin(origin, b"127.0.0.1:8080") is is_same


@pytest.mark.parametrize(
    ("client", "words"),
    [
        (None, ""),
        (b"nexaflow-cli/2.0.0", ""),
        (b"nexaflow-cli/2.0.7rc1", ""),
        (b"nexaflow-cli/1.9.0", "same major version"),
        (b"nexaflow-cli/3.0.0", "same major version"),
        (b"my-tool/2.7.0", "upgrade the daemon"),
        (b"curl", "cannot be read"),
        (b"x/2.0.0\r\nSet-Cookie: a", "cannot be read"),
        (b"\xff" * 100, "cannot be read"),
    ],
)
def test_a_mismatch_of_versions_is_told_in_words(client: bytes | None, words: str) -> None:
    told = mismatch(client)
    assert words in told
    assert bool(told) is bool(words)
