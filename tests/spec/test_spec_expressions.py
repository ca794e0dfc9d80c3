"""Expressions compute with data, and can do nothing else."""

import json
import time
from collections.abc import Mapping

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nexaflow_cli.spec.expressions import (
    ExpressionError,
    Reference,
    compile_condition,
    compile_value,
    inspect_text,
    references,
)


class Lazy(Mapping):
    """A mapping that is no dict, as the engine gives for steps."""

    def __init__(self, **fields):
        self.fields = fields

    def __getitem__(self, key):
        return self.fields[key]

    def __iter__(self):
        return iter(self.fields)

    def __len__(self):
        return len(self.fields)


SCOPE = {
    "event": {
        "size": 5,
        "path": "/in/a.tar.gz",
        "name": "a.tar.gz",
        "data": {"items": [1, 2], "keys": "own"},
        "time": "2024-03-31T00:59:59Z",
    },
    "inputs": {
        "names": ["b", "A", "c", "b"],
        "empty": "",
        "n": None,
        "on": True,
        "people": [
            {"name": "Ann", "age": 41},
            {"name": "Bob", "age": 7},
        ],
    },
    "steps": Lazy(x=Lazy(output="  42\n", status="success"), j=Lazy(output='{"a": [1, 2.5]}')),
    "secrets": Lazy(HOOK="s3cret"),
    "item": "i",
    "index": 0,
}


def render(source, scope=SCOPE):
    return compile_value(source).render(scope)


def evaluate(source):
    return render("${{ " + source + " }}")


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("event.size", 5),
        ("event['size']", 5),
        ("event . size", 5),
        ("event.data.items", [1, 2]),
        ("event.data.items.1", 2),
        ("event.data.keys", "own"),
        ("event.data.items[-1]", 2),
        ("inputs.names[1:3]", ["A", "c"]),
        ("'abc'[::-1]", "cba"),
        ("steps.x.output | int", 42),
        ("steps.x.output | int < 50", True),
        ("steps.x.status", "success"),
        ("secrets.HOOK", "s3cret"),
        ("secrets['HOOK']", "s3cret"),
        ("(steps.j.output | from_json).a[1]", 2.5),
        ("steps.x", {"output": "  42\n", "status": "success"}),
        ("1 + 2 * 3 - 4 / 2", 5.0),
        ("7 // 2 + 7 % 4 + 2 ** 3", 14),
        ("-event.size", -5),
        ("+1.5", 1.5),
        ("'a' + 'b' ~ 1 ~ true ~ none", "ab1truenull"),
        ("[1] + [2]", [1, 2]),
        ("'-' * 3", "---"),
        ("1 < 2 < 3", True),
        ("1 == true", False),
        ("'a' in 'abc' and 'b' in ['b'] and 'size' in event and 'z' not in event", True),
        ("1 if event.size > 3 else 2", 1),
        ("event.x | default('d')", "d"),
        ("event.x.y.z | default(1)", 1),
        ("inputs.empty | default('d')", ""),
        ("inputs.empty | default('d', true)", "d"),
        ("event.x is defined", False),
        ("event.x is not defined", True),
        ("inputs.n is none", True),
        ("null is none", True),
        ("event.path is matching '/in/*'", True),
        ("4 is even and 3 is odd and 'a' is string and 1 is number", True),
        ("{'a': {'b': event.size}}", {"a": {"b": 5}}),
        ("{'a': {'b': 1}}.a", {"b": 1}),
        ("(1, 'x')", [1, "x"]),
        ("inputs.names | sort", ["A", "b", "b", "c"]),
        ("inputs.names | unique | join('-')", "b-A-c"),
        ("inputs.names | map('upper') | first", "B"),
        ("inputs.people | map(attribute='name') | join(', ')", "Ann, Bob"),
        ("inputs.people | map(attribute='x', default=0) | list", [0, 0]),
        ("inputs.people | selectattr('age', 'gt', 18) | map(attribute='name') | list", ["Ann"]),
        ("inputs.people | rejectattr('age', 'gt', 18) | length", 1),
        ("inputs.people | sum(attribute='age')", 48),
        ("inputs.people | sort(attribute='age') | first", {"name": "Bob", "age": 7}),
        ("[3, 1] | max + [3, 1] | min", 4),
        ("range(3)", [0, 1, 2]),
        ("event.data.items()", [["items", [1, 2]], ["keys", "own"]]),
        ("event.get('nope', 7)", 7),
        ("'a,b'.split(',')", ["a", "b"]),
        ("' x '.strip().upper()", "X"),
        ("'x'.center(5, '.')", "..x.."),
        ("event.path | basename ~ ' ' ~ event.path | dirname", "a.tar.gz /in"),
        ("event.path | stem ~ ' ' ~ event.path | suffix", "a.tar .gz"),
        ("'.profile' | suffix", ""),
        ("event.time | date('%d.%m.%Y %H:%M', 'Europe/Berlin')", "31.03.2024 01:59"),
        ("0 | date", "1970-01-01"),
        ("'hé' | b64encode | b64decode", "hé"),
        ("'a' | sha256 | truncate(8, end='')", "ca978112"),
        ("{'a': [1, true, none]} | json", '{"a": [1, true, null]}'),
        ("3.7 | int + 3.2 | round | int", 6),
        ("2.345 | round(2)", 2.35),
        ("'abc' | int(default=0)", 0),
        ("'1.5' | float", 1.5),
        ("'a b' | urlencode", "a%20b"),
        ("[1, 2, 3] | batch(2)", [[1, 2], [3]]),
        ("'it\\'s \\u00e9'", "it's é"),
        ('"}}"', "}}"),
        ("'a' 'b'", "ab"),
        ("item ~ index", "i0"),
    ],
)
def test_gives(source, value):
    found = evaluate(source)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("", ""),
        ("${{ event.size }}", 5),
        ("${{event.size}}", 5),
        (" ${{ event.size }}", " 5"),
        ("${{ event.size }}${{ event.size }}", "55"),
        ("a ${{ true }} ${{ none }} ${{ [1, 'x'] }} ${{ 1.0 }}", 'a true null [1, "x"] 1.0'),
        ("$${{ event.size }}", "${{ event.size }}"),
        ("$${{ a }} ${{ 1 }}", "${{ a }} 1"),
        ("${{ 1 }}}}", "1}}"),
        ("$ {{ x }} }}", "$ {{ x }} }}"),
        ({"a": ["${{ event.size }}", 1, None], "${{ k }}": 2}, {"a": [5, 1, None], "${{ k }}": 2}),
    ],
)
def test_values_keep_type_or_become_text(text, value):
    assert render(text) == value


def test_static_says_whether_a_scope_matters():
    assert compile_value({"a": [1, "x", "$${{ x }}"]}).static
    assert not compile_value({"a": [1, "${{ 1 }}"]}).static


def test_results_are_copies():
    value = compile_value({"a": "${{ inputs.names }}", "b": [1]})
    first = value.render(SCOPE)
    first["a"].append("x")
    first["b"].append(2)
    assert value.render(SCOPE) == {"a": ["b", "A", "c", "b"], "b": [1]}


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("event.sise", "did you mean `size`"),
        ("evnt.size", "did you mean `event`"),
        ("steps.x.outptu", "did you mean `output`"),
        ("event.size.real", "a number has no `real`"),
        ("inputs.n.x", "null has no `x`"),
        ("event.data.items[9]", "there are 2"),
        ("'abc' | int", "not a whole number"),
        ("'12.5' | int", "not a whole number"),
        ("none | int", "not a whole number"),
        ("'1e999' | float", "not finite"),
        ("1 / 0", "division"),
        ("1 < 'a'", "convert the text"),
        ("'a' + 1", "join text with `~`"),
        ("'a' - 'b'", "cannot combine"),
        ("1 in 5", "needs text, a list"),
        ("[] | first", "empty list"),
        ("(-8) ** 0.5", "not a number"),
        ("10.0 ** 400", "range"),
        ("1e999", "not finite"),
        ("2 ** 64", "too large"),
        ("'x' | from_json", "not JSON"),
        ("'[\"\\\\ud800\"]' | from_json", "surrogate"),
        ("'x' | b64decode", "Base64"),
        ("'x' | date", "cannot read"),
        ("0 | date('%Y', 'Mars/Base')", "timezone"),
        ("0 | date('%9999999Y')", "followed by one of"),
        ("{1: 2}", "keys are text"),
    ],
)
def test_fails_with_a_reason(source, word):
    with pytest.raises(ExpressionError, match=r".") as caught:
        evaluate(source)
    assert word in str(caught.value)


@pytest.mark.parametrize(
    ("text", "word", "offset"),
    [
        ("${{ a b }}", "unexpected `b`", 6),
        ("x ${{ 1 + }}", "unexpected", 8),
        ("${{ }}", "empty", 3),
        ("${{ 1 ", "not closed", 0),
        ("ab ${{ 'x }}", "not closed", 7),
        ("${{ a && b }}", "write `and`", 6),
        ("${{ !a }}", "write `not`", 4),
        ("${{ a = 1 }}", "`==`", 6),
        ("${{ a | frob }}", "unknown filter `frob`", 8),
        ("${{ a | uper }}", "did you mean `upper`", 8),
        ("${{ a is frob }}", "unknown test", 6),
        ("${{ a | replace('x') }}", "replace", 8),
        ("${{ a | map('uper') }}", "did you mean `upper`", 13),
        ("${{ a | map(a) }}", "as text", 12),
        ("${{ a | default }}", "value to use", 8),
        ("${{ 1 if a }}", "`else`", 4),
        ("${{ '\\d' }}", "two backslashes", 5),
        ("${{ '\\ud800' }}", "surrogate", 5),
        ("${{ a.b.foo() }}", "unknown method `foo`", 8),
        ("${{ f(1) }}", "unknown function", 4),
        ("${{ secrets }}", "one by one", 4),
        ("${{ secrets | json }}", "one by one", 4),
        ("${{ secrets[event.path] }}", "one by one", 4),
        ("${{ " + "(" * 60 + ")" * 60 + " }}", "complex", 44),
        ("${{ " + "9" * 60 + " }}", "too large", 4),
        ("${{ " + "x" * 5000 + " }}", "not closed within", 0),
        ("${{ a # comment }}", "unexpected character", 6),
        ("${{ {% raw %} }}", "unexpected", 5),
    ],
)
def test_malformed_says_where(text, word, offset):
    with pytest.raises(ExpressionError, match=r".") as caught:
        compile_value(text)
    assert word in str(caught.value)
    assert caught.value.offset == offset


def test_the_place_inside_larger_data():
    with pytest.raises(ExpressionError, match="unexpected") as caught:
        compile_value({"a": ["ok", "x ${{ 1 + }}"]})
    assert caught.value.path == ("a", 1)


BIG = {"event": {"text": "a" * 900_000, "list": list(range(50_000)), "deep": [[[["x"]]]]}}


@pytest.mark.parametrize(
    "source",
    [
        # results that would be huge
        "'a' * 10**9",
        "10**9 * 'a'",
        "[0] * 10**9",
        "9**9**9",
        "10**10**10",
        "2**-99999999999",
        "(-1)**(10**18)",
        "'%1000000000d' % 1",
        "'%1000000000d' | format(1)",
        "'{:1000000000}'.format(1)",
        "range(10**9)",
        "range(10**30)",
        "'a'.center(10**9)",
        "'a'.ljust(10**9)",
        "'1'.zfill(10**9)",
        "'a\\t'.expandtabs(10**9)",
        "'a' | center(10**9)",
        "'a' | indent(10**9)",
        "'a' | wordwrap(1)",
        "lipsum(10**9)",
        "event.text.replace('a', 'bbbbbbbbbbbbbbbbbbbb')",
        "event.text | replace('', 'bbbbbbbbbb')",
        "event.text | list | sort",
        "event.text.split('a')",
        "event.text.join(event.list)",
        "event.list | join(event.text)",
        "event.list | map('string') | map('replace', '1', 'x' * 1000) | join",
        "event.text ~ event.text ~ event.text",
        "[event.text, event.text, event.text]",
        "event.text | b64encode | b64encode | b64encode | b64encode | b64encode | b64encode",
        "event.text | urlencode | urlencode | urlencode",
        "5 | round(10**9)",
        "10**15 | round(-10**9)",
        "'a' | truncate(10**9, end=event.text)",
        "[1] | batch(10**9) | map('join', event.text) | list",
        # searches that would be slow
        "event.text.rfind(event.text ~ 'b')",
        "event.text.strip(event.text)",
        "event.text.rsplit(event.text ~ 'b')",
        # the machinery behind
        "''.__class__",
        "''['__class__']",
        "'' | attr('__class__')",
        "event.__class__.__mro__",
        "[].__init__",
        "().__class__.__bases__[0].__subclasses__()",
        "event.text.upper",
        "self._TemplateReference__context",
        "cycler.__init__.__globals__.os",
        "joiner()",
        "namespace(a=1)",
        "dict(a=1)",
        "event.update({'a': 1})",
        "event.list.append(1)",
        "event.list.sort()",
        "event.pop('text')",
        "event.list | map('attr', '__class__')",
        "event.list | map(attribute='__class__') | list",
        "event | xmlattr",
        "event.text.encode('utf-8')",
        "event.text.translate({97: 'bbbb'})",
        "event.text.format_map(event)",
        "*event.list",
        "range(*event.list)",
        "lambda: 1",
        "event.text := 1",
        "[x for x in event.list]",
    ],
)
def test_hostile_expressions_get_an_error_at_once(source):
    before = (len(BIG["event"]["list"]), sorted(BIG["event"]))
    started = time.process_time()
    try:
        result = compile_value("${{ " + source + " }}").render(BIG)
    except ExpressionError:
        pass
    else:
        assert len(json.dumps(result)) < 3_000_000
        assert "class" not in json.dumps(result)
    assert time.process_time() - started < 1
    assert (len(BIG["event"]["list"]), sorted(BIG["event"])) == before


@pytest.mark.parametrize(
    "source",
    [
        "-" * 3000 + "1",
        "not " * 900 + "1",
        "1 if true else " * 200 + "2",
        "[" * 500 + "]" * 500,
        "a" + ".a" * 1500,
        "a" + "[0]" * 800,
        "1" + "+1" * 1500,
        "1" + "**1" * 400,
        "x|default(" * 300 + "1" + ")" * 300,
        "a" + "|upper" * 400,
        "1" + " is odd is odd" * 200,
        "'" + "\\\\" * 1500 + "'",
        "'" + "\\" * 3001,
        "a" * 4000,
        "1e" + "9" * 4000,
    ],
)
def test_deep_or_long_expressions_end_in_an_error_or_a_value(source):
    started = time.process_time()
    try:
        evaluate(source)
    except ExpressionError:
        pass
    assert time.process_time() - started < 1


def test_limits_of_a_whole_value():
    value = compile_value(["${{ event.text }}"] * 4)
    with pytest.raises(ExpressionError, match="too much"):
        value.render(BIG)
    assert len(value.render(BIG, limit=10**7)) == 4


@pytest.mark.parametrize(
    ("raw", "holds"),
    [
        (True, True),
        (False, False),
        ("true", True),
        ("event.size > 3", True),
        ("${{ event.size > 3 }}", True),
        (" ${{ event.size > 30 }} ", False),
        ("inputs.names", True),
        ("inputs.n", False),
        ("[]", False),
        ("0", False),
        ("'true'", True),
        ("'False'", False),
        ("''", False),
    ],
)
def test_conditions(raw, holds):
    assert compile_condition(raw).holds(SCOPE) is holds


@pytest.mark.parametrize("raw", ["", "  ", "${{ 1 }}${{ 2 }}", "x ${{ 1 }}", 5, None, [], "a ="])
def test_no_conditions(raw):
    with pytest.raises(ExpressionError):
        compile_condition(raw)


def test_text_that_is_neither_true_nor_false_is_no_condition():
    with pytest.raises(ExpressionError, match="compare it"):
        compile_condition("event.path").holds(SCOPE)


def test_references_say_what_and_where():
    raw = {"a": ["x ${{ steps.x['output'] ~ inputs.l[item] }}"], "b": "${{ range(n) | sum }}"}
    found = sorted(references(raw), key=lambda one: one.names)
    assert found == [
        Reference(("inputs", "l"), 26, (26, 33), ("a", 0)),
        Reference(("item",), 35, (35,), ("a", 0)),
        Reference(("n",), 10, (10,), ("b",)),
        Reference(("steps", "x", "output"), 6, (6, 12, 15), ("a", 0)),
    ]
    assert references("a.b == 1", condition=True)[0].names == ("a", "b")
    assert references(True, condition=True) == []


def test_one_text_can_hold_many_mistakes():
    found, errors = inspect_text("${{ a.b }} ${{ 1 + }} ${{ c | frob }}")
    assert [one.names for one in found] == [("a", "b")]
    assert [error.offset for error in errors] == [17, 30]


_SOURCE = st.text(
    st.sampled_from(list("abxe.01 ()[]{}'\"|~+-*/%<>=!,:&\\\n")) | st.characters(), max_size=60
)


@given(_SOURCE)
@example("${{ '" + "\\" * 99)
@settings(max_examples=600)
def test_any_text_gives_data_or_expression_error(text):
    for whole in (text, "${{ " + text + " }}"):
        try:
            value = compile_value(whole).render(SCOPE)
        except ExpressionError as error:
            assert 0 <= error.offset <= len(whole)
        else:
            json.dumps(value, allow_nan=False).encode()


_ATOMS = st.sampled_from(
    [
        "event",
        "event.size",
        "inputs.names",
        "steps.x.output",
        "nope",
        "1",
        "0",
        "-3.5",
        "'a'",
        *["''", "[1]", "{'k':1}", "none", "true", "10**18", "inputs.people", "secrets.HOOK"],
    ]
)


def _grow(inner):
    binary = st.sampled_from(
        ["+", "-", "*", "/", "//", "%", "**", "~", "==", "<", ">=", "and", "or", "in"]
    )
    filters = st.sampled_from(
        [
            "int",
            "float",
            "string",
            "list",
            "length",
            "sort",
            "unique",
            "join",
            "json",
            "sum",
            "max",
            "first",
            "upper",
            "round",
        ]
    )
    return st.one_of(
        st.builds("({} {} {})".format, inner, binary, inner),
        st.builds("({} | {})".format, inner, filters),
        st.builds("({} | map('{}') | list)".format, inner, filters),
        st.builds("({}[{}])".format, inner, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("({} | default({}))".format, inner, inner),
    )


@given(st.recursive(_ATOMS, _grow, max_leaves=12))
@settings(max_examples=600)
def test_any_expression_gives_data_or_expression_error(source):
    try:
        value = evaluate(source)
    except ExpressionError:
        return
    json.dumps(value, allow_nan=False)
