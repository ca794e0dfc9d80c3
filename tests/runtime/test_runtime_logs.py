"""Logs of runs: complete up to their cap, safe to show, cheap to read on from anywhere."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexaflow_cli.runtime.logs import RunLogs
from nexaflow_cli.runtime.masking import Masker
from nexaflow_cli.runtime.step_log import PIECE, TAIL, plain

SECRET = "hunter2-hunter2"
RUN = "06f8k2m4x1qa"


class Kept:
    """Logs in a directory, with what was said live."""

    def __init__(self, root: Path, **options: Any) -> None:
        self.live: list[tuple[str, dict[str, Any]]] = []
        self.logs = RunLogs(
            root / "logs",
            masker=Masker([SECRET]),
            on_line=lambda run, entry: self.live.append((run, entry)),
            clock=lambda: 1_777_622_400.123,
            **options,
        )

    def texts(self, run: str = RUN, **options: Any) -> list[str]:
        return [entry["text"] for entry in self.logs.read(run, **options)[0]]


@pytest.fixture
def kept(tmp_path: Path) -> Any:
    made = Kept(tmp_path)
    yield made
    made.logs.close()


def test_an_entry_says_when_where_and_what(kept: Kept) -> None:
    step = kept.logs.step(RUN, "extract", 2)
    step.write("stderr", b"careful\n")
    step.line("said by the action", level="warning")
    entries, following = kept.logs.read(RUN)
    common = {"at": "2026-05-01T08:00:00.123Z", "step": "extract", "attempt": 2}
    first = {"stream": "stderr", "level": "info", "text": "careful"}
    second = {"stream": "log", "level": "warning", "text": "said by the action"}
    assert [{**entry, "n": 0} for entry in entries] == [
        {"n": 0, **common, **first},
        {"n": 0, **common, **second},
    ]
    assert following is None
    assert kept.live == [(RUN, entry) for entry in entries]


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ([b"one\ntwo\n"], ["one", "two"]),
        ([b"o", b"ne\ntw", b"o"], ["one", "two"]),
        ([b"\n\n"], ["", ""]),
        ([b"dos\r\nline\r\n"], ["dos", "line"]),
        ([b"10%\r20%\r100%\n"], ["10%", "20%", "100%"]),
        ([b"\xc3", b"\xbc\n"], ["ü"]),
        ([b"a\xffb\n"], ["a\ufffdb"]),
        ([b"\xc3"], ["\ufffd"]),
        (
            [b"bell \x07, nul \x00, tab \t, \x1b[2J\x7f\xc2\x9b\n"],
            ["bell ␇, nul ␀, tab \t, ␛[2J␡\ufffd"],
        ),
        ([b"\x1b[1;31mred\x1b[0m\n"], ["\x1b[1;31mred\x1b[0m"]),
        ([b'{"n": 1}\n"},{"\n'], ['{"n": 1}', '"},{"']),
        ([b"x " + SECRET.encode() + b"\n"], ["x ***"]),
        ([b"x hunt", b"er2-hunter2 y\n"], ["x *** y"]),
        ([b"x " * 10000 + b"\n"], ["x " * (PIECE // 2), "x " * (10000 - PIECE // 2)]),
    ],
)
def test_bytes_become_lines(kept: Kept, pieces: list[bytes], lines: list[str]) -> None:
    step = kept.logs.step(RUN, "s", 1)
    for piece in pieces:
        step.write("stdout", piece)
    step.close()
    assert kept.texts() == lines
    raw = kept.logs.path(RUN).read_text()
    assert raw.count("\n") == len(lines)
    assert [json.loads(line)["text"] for line in raw.splitlines()] == lines


def test_colours_can_be_taken_off() -> None:
    assert plain("\x1b[1;31mred\x1b[0m") == "red"


def test_streams_do_not_mix_in_a_line(kept: Kept) -> None:
    step = kept.logs.step(RUN, "s", 1)
    step.write("stdout", b"out")
    step.write("stderr", b"err\n")
    step.write("stdout", b"put\n")
    assert kept.texts() == ["err", "output"]


def test_a_line_of_the_action_is_made_harmless_too(kept: Kept) -> None:
    kept.logs.step(RUN, "s", 1).line(f"a\x1b]0;title\x07\nb {SECRET} \ud800")
    assert kept.texts() == ["a␛]0;title␇", "b *** ?"]


def test_an_endless_line_comes_in_pieces_without_a_secret(kept: Kept) -> None:
    step = kept.logs.step(RUN, "s", 1)
    words = (SECRET + " and so on ").encode() * 5000
    for at in range(0, len(words), 777):
        step.write("stdout", words[at : at + 777])
    assert kept.live, "it is not kept back until the line ends"
    step.close()
    assert max(map(len, kept.texts())) <= PIECE
    assert "".join(kept.texts()) == "*** and so on " * 5000


def test_reading_goes_on_after_any_entry(kept: Kept) -> None:
    step = kept.logs.step(RUN, "s", 1)
    for n in range(10):
        step.line(f"line {n}")
    entries, _ = kept.logs.read(RUN)
    for index, entry in enumerate(entries):
        assert kept.logs.read(RUN, after=entry["n"])[0] == entries[index + 1 :]
    page, following = kept.logs.read(RUN, limit=4)
    assert (page, following) == (entries[:4], entries[3]["n"])
    assert kept.logs.read(RUN, after=entries[3]["n"], limit=6) == (entries[4:], None)
    # A number that never was one: the next entry that begins after it.
    assert kept.logs.read(RUN, after=entries[4]["n"] + 5)[0] == entries[6:]
    assert kept.logs.read(RUN, after=10**9) == ([], None)
    assert kept.logs.read(RUN, after=-5, limit=1)[0] == entries[:1]


def test_reading_one_step_takes_those_inside_of_it(kept: Kept) -> None:
    for key in ("notify", "notify[0]", "notify[1].mail", "notify_all", "other"):
        kept.logs.step(RUN, key, 1).line(key)
    assert kept.texts(step="notify") == ["notify", "notify[0]", "notify[1].mail"]
    assert kept.texts(step="notify[1]") == ["notify[1].mail"]
    assert kept.texts(step="notif") == []


def test_a_silent_run_has_no_file(kept: Kept) -> None:
    step = kept.logs.step(RUN, "s", 1)
    step.write("stdout", b"")
    step.close()
    kept.logs.end(RUN)
    kept.logs.flush()
    assert kept.logs.read(RUN) == ([], None)
    assert not kept.logs.path(RUN).parent.exists()


def test_the_end_of_a_run_says_what_was_left_unsaid(kept: Kept) -> None:
    kept.logs.step(RUN, "s", 1).write("stdout", b"no newline")
    kept.logs.end(RUN)
    assert kept.texts() == ["no newline"]
    kept.logs.flush()
    assert kept.logs._runs == {}


def test_a_restart_goes_on_where_the_file_ends(kept: Kept, tmp_path: Path) -> None:
    kept.logs.step(RUN, "s", 1).line("before")
    kept.logs.flush()
    with kept.logs.path(RUN).open("ab") as file:
        file.write(b'{"at":"torn')  # a crash in the middle of a line
    again = Kept(tmp_path)
    assert again.texts() == ["before"]
    again.logs.step(RUN, "s", 2).line("after")
    entries, _ = again.logs.read(RUN)
    assert [entry["text"] for entry in entries] == ["before", "after"]
    assert again.live == [(RUN, entries[1])]
    again.logs.close()


@pytest.mark.parametrize("torn", [b'{"at"', b"\0\0\0\n", b"17\n", b"[]\n", b"\n"])
def test_what_is_no_entry_is_skipped(kept: Kept, torn: bytes) -> None:
    kept.logs.step(RUN, "s", 1).line("there")
    kept.logs.flush()
    with kept.logs.path(RUN).open("ab") as file:
        file.write(torn)
    assert kept.texts() == ["there"]


def test_too_much_keeps_the_beginning_and_the_end(tmp_path: Path) -> None:
    kept = Kept(tmp_path, step_bytes=100_000)
    step = kept.logs.step(RUN, "s", 1)
    for n in range(20_000):
        step.write("stdout", b"line %d %s\n" % (n, SECRET.encode()))
    step.line("a word of the action")
    step.close()
    texts = kept.texts(limit=10_000)
    (told,) = (text for text in texts if text.startswith("… "))
    head, tail = texts[: texts.index(told)], texts[texts.index(told) + 1 :]
    assert head == [f"line {n} ***" for n in range(len(head))]
    assert tail[-1] == "a word of the action"
    assert tail[:-1] == [f"line {n} ***" for n in range(20_000 - len(tail) + 1, 20_000)]
    left_out = int(told.split()[1].replace(",", ""))
    assert 0 < left_out <= 20_000 * 32
    assert kept.logs.path(RUN).stat().st_size < 100_000 + 4 * TAIL
    kept.logs.close()


def test_attempts_and_steps_have_their_own_room(tmp_path: Path) -> None:
    kept = Kept(tmp_path, step_bytes=2000)
    for key, attempt in (("a", 1), ("a", 2), ("b", 1)):
        step = kept.logs.step(RUN, key, attempt)
        step.write("stdout", b"x" * 1000 + b"\n")
        step.close()
    assert kept.texts() == ["x" * 1000] * 3
    kept.logs.close()


def test_endless_output_without_a_newline_stays_bounded(tmp_path: Path) -> None:
    kept = Kept(tmp_path, step_bytes=50_000)
    step = kept.logs.step(RUN, "s", 1)
    piece = bytes(65536)
    for _ in range(3000):
        step.write("stdout", piece)
    step.close()
    kept.logs.flush()
    assert kept.logs.path(RUN).stat().st_size < 50_000 + 5 * TAIL
    kept.logs.close()


def test_many_runs_at_once_hold_no_descriptors(kept: Kept) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    steps = [kept.logs.step(f"run{n}", "s", 1) for n in range(500)]
    for step in steps:
        step.line("hello")
    kept.logs.flush()
    for step in steps:
        step.line("again")
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2
    assert kept.texts("run7") == ["hello", "again"]


def test_what_was_said_is_on_disk_soon(kept: Kept) -> None:
    kept.logs.step(RUN, "s", 1).line("hello")
    kept.logs.close()  # joins the thread that writes behind
    assert b"hello" in kept.logs.path(RUN).read_bytes()
    kept.logs.step(RUN, "s", 2).line("late")
    assert b"late" in kept.logs.path(RUN).read_bytes()


def test_a_deleted_log_is_gone_and_may_begin_again(kept: Kept) -> None:
    kept.logs.step(RUN, "s", 1).line("old")
    kept.logs.delete(RUN)
    kept.logs.delete(RUN)
    assert kept.texts() == []
    kept.logs.step(RUN, "s", 1).line("new")
    assert kept.texts() == ["new"]


def test_logs_are_for_their_owner_only(kept: Kept) -> None:
    kept.logs.step(RUN, "s", 1).line("private")
    kept.logs.flush()
    path = kept.logs.path(RUN)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_disk_that_fails_is_told_and_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    kept = Kept(tmp_path)
    kept.logs.step(RUN, "s", 1).line("lost")
    kept.logs.flush()
    assert "Not a directory" in kept.logs.trouble
    (tmp_path / "logs").unlink()
    kept.logs.step(RUN, "s", 1).line("kept")
    assert kept.texts() == ["kept"]
    assert kept.logs.trouble == ""
    assert kept.live[-1][1]["n"] == kept.logs.read(RUN)[0][0]["n"]
    kept.logs.close()


@pytest.mark.parametrize("run", ["", "../x", "a/b", ".hidden", "x" * 200, "ü"])
def test_only_an_id_names_a_file(kept: Kept, run: str) -> None:
    with pytest.raises(ValueError, match="no id of a run"):
        kept.logs.step(run, "s", 1)


@settings(max_examples=50, deadline=None)
@given(text=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300), max_size=5))
def test_any_bytes_make_harmless_entries(
    text: bytes, cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    kept = Kept(tmp_path_factory.mktemp("any"))
    step = kept.logs.step(RUN, "s", 1)
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    for start, end in pairwise(places):
        step.write("stdout", text[start:end])
    kept.logs.end(RUN)
    for shown in kept.texts():
        assert not any(ord(c) < 32 and c not in "\t\x1b" for c in shown)
        assert "\x1b" not in plain(shown)
    kept.logs.close()
