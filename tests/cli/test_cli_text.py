"""Text from outside, made safe and measured."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexaflow_cli.cli.text import clean, clean_log, escape_json, fit, width_of

# What can move a cursor, retitle a window, or turn the direction of reading.
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines", "two lines"),
        ("two \r\n  lines", "two lines"),
        ("tab\there", "tab here"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\u202etxt.exe", "a\\u202etxt.exe"),
        ("\x9b31m", "\\x9b31m"),
        ("Zoë 日本 🙂", "Zoë 日本 🙂"),
        ("[bold]not markup[/bold]", "[bold]not markup[/bold]"),
        (None, "None"),
    ],
)
def test_clean_shows_controls_and_keeps_the_rest(text: object, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("\x1b[1;31merror\x1b[0m: x\n", "error: x"),
        ("10%\r50%\r100%\n", "100%"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\tb", "a       b"),
        ("bell\x07", "bell\\x07"),
    ],
)
def test_a_log_line_is_shown_as_a_terminal_would_have_left_it(printed: str, shown: str) -> None:
    assert clean_log(printed) == shown


@settings(deadline=None)
@given(st.text())
def test_nothing_unsafe_passes(text: str) -> None:
    assert not UNSAFE.search(clean(text))
    assert not UNSAFE.search(clean_log(text))


@settings(deadline=None)
@given(st.recursive(st.text() | st.integers() | st.none(), st.lists))
def test_escaped_json_is_the_same_json_and_safe(value: object) -> None:
    text = escape_json(json.dumps(value, ensure_ascii=False, indent=2))
    assert json.loads(text) == value
    assert not UNSAFE.search(text.replace("\n", ""))


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Cf"])), st.integers(1, 40))
def test_fit_keeps_to_the_width(text: str, width: int) -> None:
    for keep in ("start", "end"):
        assert width_of(fit(text, width, keep=keep)) <= max(width, 1)


@pytest.mark.parametrize(
    ("text", "width", "keep", "shown"),
    [
        ("workflow", 8, "start", "workflow"),
        ("workflow", 5, "start", "work…"),
        ("/in/a/b.txt", 6, "end", "…b.txt"),
        ("日本語", 5, "start", "日本…"),
        ("日本語", 4, "start", "日…"),
    ],
)
def test_what_is_cut_is_marked(text: str, width: int, keep: str, shown: str) -> None:
    assert fit(text, width, keep=keep) == shown
