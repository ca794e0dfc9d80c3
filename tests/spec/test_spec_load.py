"""A file becomes workflows, or everything that is wrong with it, each in its place."""

import json
import textwrap
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexaflow_cli.errors import InvalidError
from nexaflow_cli.spec.load import load_one, load_text
from nexaflow_cli.spec.model import (
    ActionCall,
    Case,
    EventTrigger,
    ForEach,
    Group,
    Retry,
    RetryFilter,
    ScheduleTrigger,
    Step,
    Switch,
)

ACTIONS = {
    "shell": {
        "type": "object",
        "required": ["script"],
        "properties": {"script": {"type": "string"}},
    },
    "file.copy": {
        "type": "object",
        "required": ["from", "to"],
        "additionalProperties": False,
        "properties": {"from": {"type": "string"}, "to": {"type": "string"}},
    },
    "wait": {
        "type": "object",
        "oneOf": [{"required": ["duration"]}, {"required": ["until"]}],
        "additionalProperties": False,
        "properties": {"duration": {"type": ["string", "number"]}, "until": {"type": "string"}},
    },
}

FULL = """\
name: document-processor
description: Files each document.
labels: {team: docs}
triggers:
  - event: file.created
    pattern: /in/**/*.{txt,md}
    if: ${{ event.size < 10_000_000 }}
    recursive: true
  - schedule: "30 2 * * 1-5"
    timezone: Europe/Berlin
    if: "true"
  - schedule: {every: 15m}
  - every: 90
inputs:
  region: {type: string, enum: [eu, us], default: eu}
  people: {type: array, items: {type: string}, default: []}
env: {LEVEL: info, REGION: "${{ inputs.region }}"}
timeout: 30m
retry: {max_attempts: 3, backoff_seconds: 5}
max_parallel: 8
steps:
  - id: extract
    name: Count words
    run: wc -w < "$FILE"
    shell: bash
    dir: /work
    env: {FILE: "${{ event.local_path }}", N: 1}
    output: text
    timeout: 30s
    retry: {max_attempts: 5, retry_on: {exit_codes: [75]}, give_up_on: {errors: [timeout]}}
    on_interrupt: fail
  - id: route
    switch:
      - if: ${{ steps.extract.output | int < 50 }}
        steps: [{id: short, action: file.copy, with: {from: "${{ event.path }}", to: /short}}]
      - else: true
        steps: [{id: long, run: "true"}]
  - id: notify
    needs: [extract]
    if: ${{ inputs.people }}
    for_each: ${{ inputs.people }}
    as: person
    max_parallel: 4
    action: file.copy
    with: {from: "${{ person }}", to: "${{ secrets.TO }}"}
    continue_on_error: true
  - id: group
    needs: []
    steps:
      - {id: one, run: "true"}
      - {id: two, run: "true", env: {A: "${{ steps.one.output }}"}}
  - id: loop
    needs: [group, route]
    for_each: [1, 2]
    steps:
      - {id: body, run: "true", env: {A: "${{ item }} ${{ index }} ${{ steps.two.output }}"}}
      - {id: again, run: "true", env: {A: "${{ steps.body.output }} ${{ env.LEVEL }}"}}
on_success: [{id: good, run: "true", env: {A: "${{ steps.short.output | default('') }}"}}]
on_failure: [{id: bad, run: "true", env: {A: "${{ run.error.message }}"}}]
on_cancel: [{id: stopped, run: "true"}]
finally: [{id: always, run: "true", env: {A: "${{ steps.bad.status }}"}}]
output: {words: "${{ steps.extract.output }}", all: "${{ steps.loop.output }}"}
"""


def check(text, actions=ACTIONS):
    return load_text(textwrap.dedent(text), "w.yaml", actions)


def places(text):
    """`line:column code` of each diagnostic."""
    return [
        f"{one.line}:{one.column} {one.code}" for found in check(text) for one in found.diagnostics
    ]


def with_steps(steps, more=""):
    return f"name: w\n{more}steps:\n" + textwrap.indent(textwrap.dedent(steps), "  ")


def messages(text):
    return [(one.code, one.message, one.hint) for found in check(text) for one in found.diagnostics]


def test_a_full_example_has_no_problems():
    assert places(FULL) == []


def test_what_is_made_of_it():
    workflow = load_one(FULL, "w.yaml", ACTIONS)
    assert workflow.name == "document-processor"
    assert workflow.triggers == (
        EventTrigger("file.created", "/in/**/*.{txt,md}", "${{ event.size < 10_000_000 }}", True),
        ScheduleTrigger(cron="30 2 * * 1-5", timezone="Europe/Berlin", condition="true"),
        ScheduleTrigger(every=900.0),
        ScheduleTrigger(every=90.0),
    )
    assert (workflow.timeout, workflow.max_parallel) == (1800.0, 8)
    assert workflow.retry == Retry(max_attempts=3, backoff_seconds=5.0)
    extract, route, notify, group, loop = workflow.steps
    assert extract == Step(
        id="extract",
        body=ActionCall(
            "shell",
            {"script": 'wc -w < "$FILE"', "shell": "bash", "dir": "/work", "output": "text"},
            {"FILE": "${{ event.local_path }}", "N": 1},
        ),
        name="Count words",
        timeout=30.0,
        retry=Retry(
            max_attempts=5,
            backoff_seconds=5.0,
            retry_on=RetryFilter(exit_codes=(75,)),
            give_up_on=RetryFilter(errors=("timeout",)),
        ),
        on_interrupt="fail",
    )
    assert isinstance(route.body, Switch)
    assert [case.condition for case in route.body.cases] == [
        "${{ steps.extract.output | int < 50 }}",
        True,
    ]
    assert route.body.cases[1] == Case(
        True, (Step("long", ActionCall("shell", {"script": "true"})),)
    )
    assert isinstance(notify.body, ForEach)
    assert (notify.body.var, notify.body.max_parallel) == ("person", 4)
    assert (notify.needs, group.needs, extract.needs) == (("extract",), (), None)
    assert notify.continue_on_error
    assert isinstance(group.body, Group)
    assert isinstance(loop.body, ForEach)
    assert loop.body.items == [1, 2]
    assert [len(steps) for steps in (workflow.on_success, workflow.on_failure)] == [1, 1]
    assert [len(steps) for steps in (workflow.on_cancel, workflow.finally_)] == [1, 1]
    assert workflow.output["words"] == "${{ steps.extract.output }}"


def test_the_digest_is_of_the_meaning_not_of_the_writing():
    one = load_one("name: a\nsteps:\n  - {id: x, run: 'true'}\n", "a")
    same = load_one('# hi\nsteps: [{run: "true", id: x}]\nname: a', "b")
    other = load_one("name: a\nsteps: [{id: x, run: 'false'}]", "c")
    assert one.digest == same.digest != other.digest
    assert len(one.digest) == 64


SHAPE = [
    ("", "1:1 empty-file"),
    ("# nothing\n---\n", "1:1 empty-file"),
    ("- a\n", "1:1 wrong-type"),
    ("hello", "1:1 wrong-type"),
    ("name: w\n", "1:1 missing-key"),
    ("name: w\nstepz: [{id: a, run: x}]\n", "2:1 unknown-key"),
    ("name: w\nsteps: []\n", "2:8 wrong-value"),
    ("name: W x\nsteps: [{id: a, run: x}]\n", "1:7 wrong-value"),
    ("name: w\nsteps: [{id: a, run: x}]\ntimeout:\n", "3:9 wrong-type"),
    ("name: w\nsteps: [{id: a, run: x, dri: y}]\n", "2:25 unknown-key"),
    ("name: w\nsteps: [{id: a}]\n", "2:9 missing-key"),
    ("name: w\nsteps: [{id: a, run: x, action: y}]\n", "2:25 conflicting-keys"),
    ("name: w\nsteps: [{id: a, run: 5}]\n", "2:22 wrong-type"),
    ("name: w\nsteps: [{id: A b, run: x}]\n", "2:14 wrong-value"),
    ("name: w\nsteps: [{id: a, run: x, with: {}}]\n", "2:25 conflicting-keys"),
    ("name: w\nsteps: [{id: a, run: x, as: y}]\n", "2:25 conflicting-keys"),
    ("name: w\nsteps: [{id: a, steps: [{id: b, run: x}], env: {}}]\n", "2:43 conflicting-keys"),
    ("name: w\nsteps: [{id: a, run: x, on_interrupt: retyr}]\n", "2:39 wrong-value"),
    ("name: w\nsteps: [{id: a, run: x}]\nconcurrency: {limit: 1}\n", "3:1 unknown-key"),
    ("name: w\nsteps: [{id: a, run: x}]\ntriggers: [{webhook: x}]\n", "3:12 missing-key"),
]


@pytest.mark.parametrize(("text", "place"), SHAPE)
def test_form(text, place):
    assert place in places(text)


TRIGGERS = [
    ("event: file.craeted", "3:12 unknown-event"),
    ("event: created", "3:12 wrong-value"),
    ("{event: a.b, pattern: '/**.x'}", "3:27 invalid-pattern"),
    ("{schedule: '61 * * * *'}", "3:16 invalid-schedule"),
    ("{schedule: '@dayly'}", "3:16 invalid-schedule"),
    ("{schedule: '@daily', timezone: Europe/Berln}", "3:36 invalid-timezone"),
    ("{schedule: {every: 10x}}", "3:24 invalid-duration"),
    ("{every: 10ms}", "3:13 invalid-duration"),
    ("{every: 10s, timezone: UTC}", "3:18 conflicting-keys"),
    ("{schedule: {every: 10s}, timezone: UTC}", "3:30 no-effect"),
    ("{event: a.b, if: evnt.size}", "3:22 unknown-name"),
    ("{event: a.b, if: steps.a.output}", "3:22 unknown-name"),
    ("{event: a.b, if: workflow.version > 1}", "3:31 unknown-name"),
    ("{event: a.b, schedule: '@daily'}", "3:18 conflicting-keys"),
]


@pytest.mark.parametrize(("trigger", "place"), TRIGGERS)
def test_triggers(trigger, place):
    assert places(f"name: w\ntriggers:\n  - {trigger}\nsteps: [{{id: a, run: x}}]\n") == [place]


INPUTS = [
    ("a: {typ: string}", "3:7 unknown-key"),
    ("a: {type: strin}", "3:13 wrong-value"),
    ("a: {type: integer, default: x}", "3:31 invalid-default"),
    ("a: {enum: [x], default: y}", "3:27 invalid-default"),
    ("a: {type: array, items: {type: integer}, default: [1, x]}", "3:57 invalid-default"),
    ("a: {pattern: '(', default: x}", "3:16 invalid-regex"),
    ("a: {pattern: '(a+)+$', default: x}", "3:16 invalid-regex"),
    ("a: {pattern: '(a|a)*$', default: x}", "3:16 invalid-regex"),
    ("a: {pattern: '(.)\\1', default: x}", "3:16 invalid-regex"),
    ("a: {items: {pattern: '(a*)*'}, default: [x]}", "3:24 invalid-regex"),
    ("a-b: {default: x}", "3:3 wrong-key"),
    ("a: 5", "3:6 wrong-type"),
]


@pytest.mark.parametrize(("schema", "place"), INPUTS)
def test_inputs(schema, place):
    assert places(f"name: w\ninputs:\n  {schema}\nsteps: [{{id: a, run: x}}]\n") == [place]


def test_an_input_needs_a_default_where_a_trigger_starts_the_workflow():
    text = "name: w\ninputs: {a: {type: string}}\nsteps: [{id: x, run: x}]\n"
    assert places(text) == []
    assert places(text + "triggers: [{event: a.b}]\n") == ["2:10 input-needs-default"]


STEPS = {
    "duplicate ids, in groups too": (
        "- {id: a, run: x}\n- {id: b, steps: [{id: a, run: x}]}\n",
        ["4:26 duplicate-id"],
    ),
    "an unknown need": (
        "- {id: abc, run: x}\n- {id: b, run: x, needs: [abd]}\n",
        ["4:29 unknown-step"],
    ),
    "a need in another list": (
        "- {id: a, steps: [{id: b, run: x}]}\n- {id: c, run: x, needs: [b]}\n",
        ["4:29 needs-across-lists"],
    ),
    "a need of itself": ("- {id: a, run: x, needs: [a]}\n", ["3:29 needs-cycle"]),
    "a need listed twice": (
        "- {id: a, run: x}\n- {id: b, run: x, needs: [a, a]}\n",
        ["4:32 duplicate-need"],
    ),
    "a cycle": (
        "- {id: a, run: x, needs: [c]}\n- {id: b, run: x, needs: [a]}\n- {id: c, run: x}\n",
        ["3:28 needs-cycle"],
    ),
    "a script with an expression": (
        "- id: a\n  run: |\n    echo hi\n    cat ${{ event.path }}\n",
        ["6:11 expression-in-script"],
    ),
    "a script in `action: shell`": (
        "- {id: a, action: shell, with: {script: 'x ${{ inputs.a }}'}}\n",
        ["3:46 expression-in-script"],
    ),
    "an unknown action": ("- {id: a, action: file.cpy}\n", ["3:21 unknown-action"]),
    "wrong parameters": (
        "- {id: a, action: file.copy, with: {from: 5, too: x}}\n",
        ["3:38 missing-key", "3:45 wrong-type", "3:48 unknown-key"],
    ),
    "no parameters": ("- {id: a, action: wait}\n", ["3:21 missing-key"]),
    "parameters not known yet": (
        "- {id: a, action: wait, with: {duration: '${{ inputs }}'}}\n",
        [],
    ),
    "a bad timeout": ("- {id: a, run: x, timeout: 5 min}\n", ["3:30 invalid-duration"]),
    "a timeout of nothing": ("- {id: a, run: x, timeout: 0}\n", ["3:30 invalid-duration"]),
    "a timeout from an expression": (
        "- {id: a, run: x, timeout: '${{ inputs.t }}'}\n",
        ["3:30 invalid-duration"],
    ),
    "a list that is text": ("- {id: a, for_each: inputs.x, run: x}\n", ["3:23 wrong-type"]),
    "a case after else": (
        "- id: a\n  switch:\n    - {else: true, steps: [{id: b, run: x}]}\n"
        "    - {if: true, steps: [{id: c, run: x}]}\n",
        ["5:10 unreachable-case"],
    ),
    "an expression in a key": (
        "- {id: a, action: shell, with: {script: x, '${{ a }}': 1}}\n",
        ["3:46 expression-in-key"],
    ),
    "an expression in a name": (
        "- {id: a, run: x, name: 'x ${{ a }}'}\n",
        ["3:27 expression-ignored"],
    ),
    "as with a meaning of its own": (
        "- {id: a, for_each: [1], as: steps, run: x}\n",
        ["3:32 shadowed-name"],
    ),
    "as of the loop around": (
        "- {id: a, for_each: [1], as: x, steps: [{id: b, for_each: [2], as: x, run: y}]}\n",
        ["3:70 shadowed-name"],
    ),
    "item of the loop around": (
        "- {id: a, for_each: [1], steps: [{id: b, for_each: [2], run: y}]}\n",
        ["3:44 shadowed-name"],
    ),
}


@pytest.mark.parametrize("case", STEPS)
def test_steps(case):
    steps, expected = STEPS[case]
    assert places(with_steps(steps)) == expected


NAMES = {
    # An expression in the env of the last step, and what is wrong with it.
    "steps.a.output": [],
    "steps['a'].output": [],
    "steps.in_group.output": [],
    "steps.in_case.output": [],
    "steps.loop.output": [],
    "steps.in_loop.output": ["step-not-run"],
    "steps.last.output": ["step-not-run"],
    "steps.later.output": ["step-not-run"],
    "steps.handler.output": ["step-not-run"],
    "steps.aa.output": ["unknown-step"],
    "steps.a.outptu": ["unknown-name"],
    "steps": [],
    "inputs.known": [],
    "inputs.knwon": ["unknown-input"],
    "inputs": [],
    "env.LEVEL": [],
    "env.OWN": [],
    "env.NOPE": ["unknown-name"],
    "event.data.anything.at.all": [],
    "run.id": [],
    "run.idd": ["unknown-name"],
    "workflow.name": [],
    "workflow.nmae": ["unknown-name"],
    "secrets.ANY": [],
    "secrets": ["expression-syntax"],
    "item": ["unknown-name"],
    "index": ["unknown-name"],
    "evnt.path": ["unknown-name"],
    "1 +": ["expression-syntax"],
    "a | frob": ["expression-syntax"],
    "inputs.x ~ inputs.y": ["unknown-input", "unknown-input"],
}


@pytest.mark.parametrize("expression", NAMES)
def test_names_in_expressions(expression):
    text = f"""\
    name: w
    triggers: [{{event: a.b}}]
    inputs: {{known: {{default: 1}}}}
    env: {{LEVEL: x}}
    steps:
      - {{id: a, run: x}}
      - {{id: group, steps: [{{id: in_group, run: x}}]}}
      - {{id: choice, switch: [{{if: true, steps: [{{id: in_case, run: x}}]}}]}}
      - {{id: loop, for_each: [1], steps: [{{id: in_loop, run: x}}]}}
      - {{id: last, run: x, env: {{OWN: x, E: "${{{{ {expression} }}}}"}}}}
      - {{id: later, run: x}}
    finally: [{{id: handler, run: x}}]
    """
    found = check(text)[0].diagnostics
    assert [one.code for one in found] == NAMES[expression]
    for one in found:
        assert one.line == 10
        assert one.column > 44


VISIBLE = {
    "by needs only": (
        "- {id: a, run: x}\n- {id: b, run: x, needs: []}\n- {id: c, run: x, needs: [b]}\n",
        "c",
        {"a": False, "b": True},
    ),
    "through needs of needs": (
        "- {id: a, run: x}\n- {id: b, run: x}\n- {id: c, run: x, needs: [b]}\n",
        "c",
        {"a": True, "b": True},
    ),
    "inside a group": (
        "- {id: a, run: x}\n- {id: g, steps: [{id: b, run: x}, {id: c, run: x}]}\n"
        "- {id: d, run: x}\n",
        "c",
        {"a": True, "b": True, "g": False, "d": False},
    ),
    "between branches": (
        "- id: s\n  switch:\n    - {if: true, steps: [{id: a, run: x}]}\n"
        "    - {else: true, steps: [{id: b, run: x}, {id: c, run: x}]}\n",
        "c",
        {"a": False, "b": True, "s": False},
    ),
    "inside a loop": (
        "- {id: a, run: x}\n- {id: l, for_each: [1], steps: [{id: b, run: x}, {id: c, run: x}]}\n",
        "c",
        {"a": True, "b": True, "l": False},
    ),
    "from a parallel group": (
        "- {id: g, needs: [], steps: [{id: a, run: x}]}\n- {id: c, needs: [], run: x}\n",
        "c",
        {"a": False, "g": False},
    ),
}


@pytest.mark.parametrize("case", VISIBLE)
def test_a_step_sees_what_has_run_before_it(case):
    steps, own, seen = VISIBLE[case]
    for name, visible in seen.items():
        using = steps.replace(
            f"{{id: {own},", f'{{id: {own}, env: {{E: "${{{{ steps.{name}.output }}}}"}},'
        )
        found = [one.code for one in check(with_steps(using))[0].diagnostics]
        assert found == ([] if visible else ["step-not-run"]), name


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("if: secrets.X", "secret-not-allowed"),
        ("if: env.X", "unknown-name"),
        ("if: item == 1", "unknown-name"),
        ("for_each: '${{ secrets.X }}'", "secret-not-allowed"),
        ("for_each: '${{ item }}'", "unknown-name"),
    ],
)
def test_what_conditions_and_lists_cannot_see(line, code):
    steps = f"- id: a\n  {line}\n  run: x\n" + ("" if "for_each" in line else "  for_each: [1]\n")
    assert [place.split()[1] for place in places(with_steps(steps))] == [code]


def test_event_is_empty_without_triggers_and_that_is_told_once():
    text = with_steps("- {id: a, run: x, env: {A: '${{ event.path }}', B: '${{ event.id }}'}}\n")
    (found,) = check(text)[0].diagnostics
    assert (found.code, found.severity) == ("empty-event", "warning")
    assert check(text)[0].workflow is not None


@pytest.mark.parametrize(
    ("style", "line", "column"),
    [
        ('"x ${{ steps.nope.output }}"', 7, 24),
        ("'it''s ${{ steps.nope.output }}'", 7, 28),
        ("x ${{ steps.nope.output }}", 7, 23),
        ("|\n          one\n          two ${{ steps.nope.output }}", 9, 25),
        (">\n          one\n          two ${{ steps.nope.output }}", 9, 25),
        ('"\\u00e9\\t${{ steps.nope.output }}"', 7, 30),
        ("'nope steps.nope ${{ inputs }} ${{ steps.nope.output }}'", 7, 52),
        ("&anchor x${{ steps.nope.output }}", 7, 30),
    ],
)
def test_the_column_is_that_of_the_name_inside_the_text(style, line, column):
    text = "name: w\nsteps:\n  - id: a\n    action: file.copy\n    with:\n      from: /a\n"
    text += f"      to: {style}\n"
    (found,) = check(text)[0].diagnostics
    assert found.code == "unknown-step"
    assert (found.line, found.column) == (line, column)
    assert found.end_column - found.column == len("nope")


def test_every_problem_of_a_file_at_once():
    text = """\
    name: Bad Name
    name: again
    timeout: soon
    steps:
      - {id: a, run: "echo ${{ x }}", dri: y}
      - {id: a, action: file.cpy}
    ---
    name: other
    steps: [{id: a, run: x, needs: [b]}]
    ---
    name: other
    steps: [
    """
    assert places(text) == [
        "1:7 wrong-value",
        "2:1 duplicate-key",
        "3:10 invalid-duration",
        "5:24 expression-in-script",
        "5:35 unknown-key",
        "6:10 duplicate-id",
        "6:21 unknown-action",
        "9:33 unknown-step",
        "11:7 duplicate-name",
        "13:1 yaml-syntax",
    ]


def test_hints_say_what_was_meant():
    hints = {hint for _, _, hint in messages(with_steps("- {id: a, action: file.cpoy, dri: x}\n"))}
    assert hints == {"did you mean `file.copy`?", "did you mean `dir`?"}


def test_a_cycle_is_shown():
    steps = "".join(f"- {{id: s{n}, run: x, needs: [s{(n + 1) % 3}]}}\n" for n in range(3))
    (found,) = messages(with_steps(steps + "- {id: waits, run: x, needs: [s0]}\n"))
    assert found[1] == "these steps wait for each other: s0 → s1 → s2 → s0"


ONE = "name: a\nsteps: [{id: x, run: x}]\n"
TWO = "name: b\nsteps: [{id: x, run: x}]\n"


def test_documents_of_one_file():
    documents = check(
        "name: a\nsteps: [{id: x, run: x}]\n---\nname: b\nsteps: [{id: x, run: x}]\n---\n"
    )
    assert [one.name for one in documents] == ["a", "b"]
    for document in documents:
        assert load_one(document.source, "x").digest == document.workflow.digest


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("name: a\n", "w.yaml:1:1: `steps` is missing"),
        (
            "name: a\nsteps: [{id: x, run: x}]\n---\nname: b\nsteps: [{id: x, run: x}]\n",
            "2 workflows",
        ),
        ("", "no workflow"),
    ],
)
def test_load_one_raises(text, word):
    with pytest.raises(InvalidError) as caught:
        load_one(text, "w.yaml")
    assert word in caught.value.message
    assert json.dumps(caught.value.details())


@pytest.mark.parametrize("text", [b"\xff\xfe", b"name: a\nsteps: \xe9\n", b"\x80" * 10])
def test_bytes_must_be_utf_8(text):
    (document,) = load_text(text, "w.yaml")
    assert [one.code for one in document.diagnostics] == ["not-utf-8"]


def test_bytes_are_read():
    assert load_one("name: a\nsteps: [{id: x, run: é}]\n".encode(), "w").name == "a"


_KEYS = [
    *("name", "steps", "id", "run", "action", "with", "needs", "if", "for_each", "as", "switch"),
    *("else", "env", "retry", "timeout", "triggers", "event", "schedule", "inputs", "default"),
    *("pattern", "output", "finally", "labels", "every", "type", "items", "minimum", "enum"),
]
_TEXTS = st.one_of(
    st.sampled_from(["a", "b", "${{ steps.a.output }}", "${{ item", "5s", "@daily", "**"]),
    st.text(max_size=12),
)
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(_KEYS), inner, max_size=5)
    ),
    max_leaves=30,
)


@given(st.dictionaries(st.sampled_from(_KEYS), _VALUES, max_size=8))
@settings(max_examples=150)
def test_any_data_gives_diagnostics_or_a_workflow(data):
    text = json.dumps(data)
    for document in load_text(text, "w", ACTIONS):
        errors = [one for one in document.diagnostics if one.severity == "error"]
        assert (document.workflow is None) == bool(errors)
        for one in document.diagnostics:
            assert one.line >= 1
            assert one.end_column > one.column >= 1


_LINES = FULL.splitlines(keepends=True)


@given(st.data())
@settings(max_examples=150)
def test_any_damage_to_a_good_file_gives_diagnostics_or_a_workflow(data):
    lines = list(_LINES)
    for _ in range(data.draw(st.integers(1, 4))):
        index = data.draw(st.integers(0, len(lines) - 1))
        line = lines[index]
        cut = data.draw(st.integers(0, len(line)))
        noise = data.draw(st.text(st.sampled_from("{}[]:,'\"|&*-# \n$a.%?!"), max_size=4))
        kept = data.draw(st.integers(cut, len(line)))
        lines[index] = line[:cut] + noise + line[kept:]
    for document in load_text("".join(lines), "w", ACTIONS):
        errors = [one for one in document.diagnostics if one.severity == "error"]
        assert (document.workflow is None) == bool(errors)


@pytest.mark.parametrize(
    "text",
    [
        "a: " * 300_000,
        "- " * 500_000,
        "{" * 500_000,
        "a: &a [" + "*a," * 300_000,
        "\n".join(f"k{n}: {{" for n in range(60_000)),
        "name: w\nsteps: [" + "{id: a, run: x}," * 60_000 + "]",
        "name: w\nsteps: [" + "{}," * 190_000 + "]",
        'name: w\nsteps: [{id: a, run: x, env: {A: "' + "${{ a }} " * 100_000 + '"}}]',
        'name: w\nsteps: [{id: a, run: "' + "${{ a }} " * 100_000 + '"}]',
        "name: w\nsteps: ["
        + "".join(f"{{id: s{n}, run: x, needs: [s{n + 1}]}}," for n in range(19_000))
        + "]",
        "name: w\ninputs: {a: " + "{items: " * 40 + "{}" + "}" * 40 + "}\nsteps: [{id: a, run: x}]",
        "'" + "x" * 1_000_000,
        "? " * 400_000,
        "!" * 900_000,
        "# " + "x" * 1_000_000,
    ],
    ids=lambda text: text[:20],
)
def test_large_and_hostile_files_are_answered_in_bounded_time(text):
    started = time.process_time()
    documents = load_text(text, "w", ACTIONS)
    assert documents
    assert len(documents[0].diagnostics) <= 200
    assert time.process_time() - started < 20
