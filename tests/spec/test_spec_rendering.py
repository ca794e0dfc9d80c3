"""Diagnostics are shown to people, to programs, and to GitHub."""

import json

import pytest

from nexaflow_cli.spec.diagnostics import Diagnostic, ordered
from nexaflow_cli.spec.nearest import did_you_mean, nearest
from nexaflow_cli.spec.rendering import render_github, render_json, render_text


def found(message="no step `nope`", line=2, column=5, end=9, **more):
    return Diagnostic("unknown-step", "error", message, "w.yaml", line, column, end, **more)


def test_text_shows_the_line_and_a_caret():
    text = "one\ntwo nope x\n"
    assert render_text([found(hint="did you mean `note`?")], {"w.yaml": text}) == (
        "w.yaml:2:5: error[unknown-step]: no step `nope`\n"
        "    2 | two nope x\n"
        "      |     ^^^^\n"
        "      = did you mean `note`?\n"
    )


def test_text_without_the_source_is_one_line():
    assert render_text([found()]) == "w.yaml:2:5: error[unknown-step]: no step `nope`\n"


@pytest.mark.parametrize(
    ("line", "column", "caret_at"),
    [("日本 nope", 4, 5), ("\t\tnope", 3, 2), ("e\u0301 nope", 4, 2)],
)
def test_the_caret_stands_below_wide_and_combining_characters(line, column, caret_at):
    text = render_text([found(line=1, column=column, end=column + 4)], {"w.yaml": line})
    assert text.splitlines()[2] == "      | " + " " * caret_at + "^^^^"


def test_long_lines_are_cut_around_the_place():
    line = "x" * 500 + "nope" + "y" * 500
    text = render_text([found(line=1, column=501, end=505)], {"w.yaml": line})
    shown, caret = text.splitlines()[1:3]
    assert len(shown) < 180
    assert shown[caret.index("^") : caret.rindex("^") + 1] == "nope"


def test_nothing_in_a_file_steers_the_terminal():
    text = render_text([found("bad \x1b[31m\u202e")], {"w.yaml": "one\ntwo \x1b]0;x\x07 \u202e"})
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\u202e" not in text


def test_json():
    assert json.loads(render_json([found(hint="x")])) == [
        {
            "code": "unknown-step",
            "severity": "error",
            "message": "no step `nope`",
            "file": "w.yaml",
            "line": 2,
            "column": 5,
            "end_column": 9,
            "hint": "x",
        }
    ]


def test_github_annotations():
    assert render_github([found(hint="100% sure")]) == (
        "::error file=w.yaml,line=2,col=5,endColumn=9,title=nexaflow unknown-step::"
        "no step `nope`%0A100%25 sure\n"
    )


def test_github_commands_cannot_be_injected():
    hostile = Diagnostic("x", "error", "a\n::set-env name=A::b\r", "a,b:c\n%.yaml", 1, 1, 2)
    text = render_github([hostile])
    assert text.count("\n") == 1
    assert "file=a%2Cb%3Ac%0A%25.yaml," in text
    assert "a%0A::set-env name=A::b%0D" in text


def test_order_is_that_of_the_file_and_each_comes_once():
    one, two = found(line=1), found(line=2)
    assert ordered([two, one, two]) == [one, two]


@pytest.mark.parametrize(
    ("name", "known", "near"),
    [
        ("stepz", ["name", "steps"], "steps"),
        ("file.craeted", ["file.created", "file.deleted"], "file.created"),
        ("Steps", ["steps"], "steps"),
        ("xyz", ["name", "steps"], None),
        ("", ["a"], None),
        ("x" * 1000, ["x"], None),
        ("ab", ["ba"], "ba"),
    ],
)
def test_nearest(name, known, near):
    assert nearest(name, known) == near


def test_did_you_mean_lists_the_few_there_are():
    assert did_you_mean("zzz", ["b", "a"]) == "known: a, b"
    assert did_you_mean("zzz", [f"name{n}" for n in range(50)]) == ""
