"""YAML is read strictly, by version 1.2, and every part knows its place."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexaflow_cli.spec.source import MAX_BYTES, MAX_DEPTH, MAX_NODES, read


def data(text):
    documents, problems = read(text)
    assert problems == []
    return documents[0].data


def codes(text):
    return [problem.code for problem in read(text)[1]]


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("on", "on"),
        ("no", "no"),
        ("yes", "yes"),
        ("y", "y"),
        ("tRuE", "tRuE"),
        ("12:30:45", "12:30:45"),
        ("2020-01-01", "2020-01-01"),
        ("12", 12),
        ("-7", -7),
        ("+7", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        ("٣", "٣"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ("!!int 12", 12),
        ("18446744073709551615", 2**64 - 1),
        ("-9223372036854775808", -(2**63)),
    ],
)
def test_scalars_follow_the_core_schema(scalar, value):
    if scalar == "-":
        assert data("[-a]") == ["-a"]
        return
    found = data(f"a: {scalar}\n")["a"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: 1\na: 2", "duplicate-key"),
        ("{a: 1, b: 2, a: 3}", "duplicate-key"),
        ('a: 1\n"a": 2', "duplicate-key"),
        ("1: x", "yaml-key"),
        ("true: x", "yaml-key"),
        ("~: x", "yaml-key"),
        ("? [a]\n: x", "yaml-key"),
        ("a: &x b\n*x : c", "yaml-key"),
        ("a: &x {b: 1}\nc: {<<: *x}", "yaml-key"),
        ("a: !foo b", "yaml-tag"),
        ("a: !!python/object:os.system x", "yaml-tag"),
        ("a: !!int x", "yaml-tag"),
        ("a: !!set {b}", "yaml-tag"),
        ("a: 18446744073709551616", "yaml-number"),
        ("a: " + "9" * 5000, "yaml-number"),
        ("a: .inf", "yaml-number"),
        ("a: .nan", "yaml-number"),
        ("a: 1e999", "yaml-number"),
        ("a: 0755", "yaml-leading-zero"),
        ("a: *b", "yaml-alias"),
        ("a: &a [*a]", "yaml-alias"),
        ("a: 1\n---\nb: &x 1\n---\nc: *x", "yaml-alias"),
        ("a:\n\t- b", "yaml-tab"),
        ("a: 1\n\tb: 2", "yaml-tab"),
        ("\ta: 1", "yaml-tab"),
        ("a: [1", "yaml-syntax"),
        ("a: 'x", "yaml-syntax"),
        ("a: b: c", "yaml-syntax"),
        ("a: @x", "yaml-syntax"),
        ("a: |\n  x\n y", "yaml-syntax"),
        ("%YAML 1.3\n---\na", "yaml-syntax"),
        ("a: b\x00", "control-character"),
        ("a: \x1b[31m", "control-character"),
        ("a: \ud800", "control-character"),
        ("\ufeffa: 1", "byte-order-mark"),
        ("- " * 100 + "a", "too-deep"),
        ("[" * 100_000, "too-deep"),
        ("a: " + "x" * MAX_BYTES, "too-large"),
    ],
)
def test_refuses(text, code):
    assert code in codes(text)


def test_a_duplicate_names_both_places():
    problem = read("x: 1\nabc: 1\ny:\n  abc: 2\nabc: 3\n")[1][0]
    assert problem.message == "the key `abc` is here twice; first at line 2, column 1"
    assert problem.span == (24, 27)


def test_reading_goes_on_after_what_it_can_skip():
    text = "a: 1\na: 2\n3: x\nb: !x 1\nc: *no\nd: ok\n"
    documents, problems = read(text)
    assert len(problems) == 4
    assert documents[0].data == {"a": 1, "b": "1", "c": None, "d": "ok"}


def test_a_broken_end_keeps_what_came_before():
    documents, problems = read("name: first\n---\nname: second\nsteps: [\n")
    assert [(one.data, one.complete) for one in documents] == [
        ({"name": "first"}, True),
        ({"name": "second"}, False),
    ]
    assert [problem.code for problem in problems] == ["yaml-syntax"]


def test_aliases_share_and_are_counted():
    assert data("a: &x {b: [1]}\nc: *x\nd: [*x, *x]") == {
        "a": {"b": [1]},
        "c": {"b": [1]},
        "d": [{"b": [1]}, {"b": [1]}],
    }


def test_a_bomb_of_aliases_is_refused_at_once():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 20)]
    started = time.process_time()
    assert codes("\n".join(lines)) == ["too-large"]
    assert time.process_time() - started < 1


def test_aliases_cannot_build_depth():
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 200)]
    assert codes("\n".join(lines)) == ["too-deep"]


def test_limits_leave_room_for_large_workflows():
    text = "steps:\n" + "".join(f"  - id: s{n}\n    run: echo\n" for n in range(10_000))
    assert len(data(text)["steps"]) == 10_000
    assert MAX_NODES > 100_000
    assert MAX_DEPTH == 64


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_places(line_break):
    text = "é: [x, {k: 'v v'}]\nlast: |\n  one\n  two\n".replace("\n", line_break)
    document = read(text)[0][0]

    def at(path, key=False):
        start, end = (document.key_span if key else document.value_span)(path)
        return text[start:end]

    assert at(("é", 0)) == "x"
    assert at(("é", 1, "k"), key=True) == "k"
    assert at(("é", 1, "k")) == "'v v'"
    assert at(("last",), key=True) == "last"
    assert at(("last",)).startswith("|")
    assert at(("last", "nowhere")) == at(("last",))


def test_an_alias_is_where_it_is_used():
    text = "a: &x {k: 1}\nb: *x\n"
    document = read(text)[0][0]
    assert text[slice(*document.value_span(("b",)))] == "*x"
    assert text[slice(*document.value_span(("b", "k")))] == "1"


def test_documents_carry_their_own_text():
    text = "# one\na: 1\n---\n# two\nb: 2\n---\nc: 3\n"
    documents = read(text)[0]
    assert [text[slice(*one.text_span)] for one in documents] == [
        "# one\na: 1\n",
        "---\n# two\nb: 2\n",
        "---\nc: 3\n",
    ]
    for one in documents:
        assert read(text[slice(*one.text_span)])[0][0].data == one.data


_YAMLISH = st.text(st.sampled_from(list("ab:-[]{},&*!|>'\"#%@`?~ \n\t01.")), max_size=120)


@given(st.one_of(st.text(max_size=200), _YAMLISH))
@settings(max_examples=500)
def test_any_text_gives_documents_and_problems(text):
    documents, problems = read(text)
    for problem in problems:
        assert 0 <= problem.span[0] <= problem.span[1] <= len(text)
    assert all(one.complete for one in documents) or problems
