"""Patterns choose paths, and no path can make that slow."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexaflow_cli.spec.patterns import compile_pattern


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("/in/*", ["/in/a", "/in/.hidden", "/in/a b"], ["/in", "/in/", "/in/a/b", "/x/in/a"]),
        ("/in/*.txt", ["/in/a.txt", "/in/.txt"], ["/in/a.txt.bak", "/in/x/a.txt", "/in/a.TXT"]),
        ("/in/**", ["/in/a", "/in/a/b/c"], ["/in", "/in/", "/inside/a"]),
        ("/in/**/*.txt", ["/in/a.txt", "/in/x/y/a.txt"], ["/a.txt", "/in/a.md"]),
        ("/a/**/b/**/c", ["/a/b/c", "/a/x/b/y/z/c"], ["/a/c", "/a/b", "/a/b/c/d"]),
        ("/**/b/*/c", ["/b/x/c", "/b/b/x/c", "/b/c/b/x/c"], ["/b/c", "/b/x/y/c"]),
        ("**/*.meta.json", ["/a.meta.json", "/x/y/a.meta.json"], ["/a.json"]),
        ("*.meta.json", ["/a.meta.json", "/x/y/a.meta.json"], ["/a.json", "/a.meta.json/b"]),
        ("docs/*.md", ["/docs/a.md", "/x/docs/a.md"], ["/docs/x/a.md", "/mydocs/a.md"]),
        ("/in/*.{txt,md}", ["/in/a.txt", "/in/a.md"], ["/in/a.rst", "/in/a.{txt,md}"]),
        ("/{a,b{c,d}}/x", ["/a/x", "/bc/x", "/bd/x"], ["/b/x", "/c/x"]),
        ("/{in,out}/**", ["/in/a", "/out/b/c"], ["/other/a"]),
        ("/a?c", ["/abc", "/aéc"], ["/ac", "/a/c", "/abbc"]),
        ("/[a-c]x", ["/ax", "/cx"], ["/dx", "/-x", "//x"]),
        ("/[!a-c]x", ["/dx"], ["/ax", "//x"]),
        ("/[]]x", ["/]x"], ["/ax"]),
        ("/x[", [], []),
        (r"/\*x", ["/*x"], ["/ax"]),
        (r"/a\{b\}", ["/a{b}"], ["/ab"]),
        ("/a.b+c", ["/a.b+c"], ["/aXb+c", "/a.bbc"]),
        ("/a*b*c", ["/abc", "/axbxc", "/abbcbc"], ["/ab", "/axc"]),
        ("/*a*", ["/a", "/xax"], ["/b"]),
        ("/**", ["/a", "/a/b"], ["/", ""]),
        ("/x/\nb", [], []),
    ],
)
def test_matches(pattern, yes, no):
    if not yes:
        with pytest.raises(ValueError, match=r"not closed|control"):
            compile_pattern(pattern)
        return
    compiled = compile_pattern(pattern)
    assert [path for path in yes if not compiled.match(path)] == []
    assert [path for path in no if compiled.match(path)] == []


@pytest.mark.parametrize(
    ("pattern", "word"),
    [
        ("", "empty"),
        ("/in/**.txt", "stand alone"),
        ("/in/", "add [*][*]"),
        ("/a//b", "empty folder"),
        ("/a/../b", "never matches"),
        ("/[a", "not closed"),
        ("/{a", "not closed"),
        ("/a}", "without"),
        ("/[z-a]", "backwards"),
        ("/[a/b]", "separates"),
        ("!*.txt", "negated"),
        ("/a\\", "backslash"),
        ("/a\0b", "control"),
        ("/" + "a" * 2000, "longer"),
        ("/" + "{a,b}" * 20, "alternatives"),
        ("/" + "*a" * 100, "stars"),
    ],
)
def test_refuses_with_a_reason(pattern, word):
    with pytest.raises(ValueError, match=word):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "prefix"),
    [
        ("/a/b/*.txt", "/a/b/"),
        ("/a/b.txt", "/a/"),
        ("*.txt", "/"),
        ("/a{b,c}/d", "/"),
        ("/a/[b]", "/a/"),
    ],
)
def test_knows_the_folder_that_matches_begin_with(pattern, prefix):
    assert compile_pattern(pattern).prefix == prefix


def oracle(pattern: str, path: str) -> bool:
    """The definition, by trying everything: segments, with `**` for any number of them."""

    def segment(glob: str, name: str) -> bool:
        if glob == "*":
            return name != ""
        parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in glob)
        return re.fullmatch("".join(parts), name) is not None

    def match(globs: list[str], names: list[str]) -> bool:
        if not globs:
            return not names
        if globs[0] == "**":
            if len(globs) == 1:
                return bool(names)
            return match(globs[1:], names) or (bool(names) and match(globs, names[1:]))
        return bool(names) and segment(globs[0], names[0]) and match(globs[1:], names[1:])

    return match(pattern.split("/")[1:], path.split("/")[1:])


_GLOB = st.lists(
    st.one_of(st.just("**"), st.from_regex(r"[ab*?]{1,4}", fullmatch=True)).filter(
        lambda part: part == "**" or "**" not in part
    ),
    min_size=1,
    max_size=5,
)
_PATH = st.lists(st.from_regex(r"[ab]{1,4}", fullmatch=True), min_size=1, max_size=6)


@given(_GLOB, _PATH)
@settings(max_examples=500)
def test_agrees_with_the_definition(globs, names):
    pattern, path = "/" + "/".join(globs), "/" + "/".join(names)
    assert compile_pattern(pattern).match(path) == oracle(pattern, path)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_a_pattern_or_a_value_error(pattern, path):
    try:
        compile_pattern(pattern).match(path)
    except ValueError:
        pass


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/" + "*a" * 60 + "b", "/" + "a" * 4000),
        ("/" + "**/a/" * 30 + "b", "/a" * 2000),
        ("/" + "**/*a*/" * 15 + "b", "/aaaa" * 1000),
        ("/{" + ",".join(f"*{n}*x" for n in range(20)) + "}", "/" + "0123456789" * 400),
    ],
)
def test_hostile_paths_are_answered_at_once(pattern, path):
    compiled = compile_pattern(pattern)
    compiled.match("/")
    started = time.process_time()
    assert not compiled.match(path)
    assert time.process_time() - started < 0.5
