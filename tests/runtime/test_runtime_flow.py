"""Every control-flow feature, from YAML to what the history says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from running import daemon_at, run, step, steps

from nexaflow_cli.errors import InvalidError, NotFoundError

SET = "action: set, with: {values: {n: 1}}"

CASES: dict[str, tuple[str, dict[str, Any], str, dict[str, str], Any]] = {
    "sequence": (
        """
        steps:
          - {id: a, action: set, with: {values: {n: 1}}}
          - {id: b, action: set, with: {values: {n: "${{ steps.a.output.n + 1 }}"}}}
        output: ${{ steps.b.output.n }}
        """,
        {},
        "success",
        {"a": "success", "b": "success"},
        2,
    ),
    "dag": (
        """
        steps:
          - {id: a, needs: [], action: set, with: {values: {n: 1}}}
          - {id: b, needs: [], action: set, with: {values: {n: 2}}}
          - id: c
            needs: [a, b]
            action: set
            with: {values: {n: "${{ steps.a.output.n + steps.b.output.n }}"}}
        output: ${{ steps.c.output.n }}
        """,
        {},
        "success",
        {"a": "success", "b": "success", "c": "success"},
        3,
    ),
    "condition": (
        """
        inputs: {go: {type: boolean, default: false}}
        steps:
          - {id: a, if: "${{ inputs.go }}", action: fail, with: {message: no}}
          - {id: b, action: set, with: {values: {was: "${{ steps.a.status }}"}}}
        output: ${{ steps.b.output.was }}
        """,
        {},
        "success",
        {"a": "skipped", "b": "success"},
        "skipped",
    ),
    "switch": (
        """
        inputs: {n: {type: integer}}
        steps:
          - id: route
            switch:
              - if: ${{ inputs.n < 5 }}
                steps: [{id: small, action: set, with: {values: {size: small}}}]
              - else: true
                steps: [{id: large, action: set, with: {values: {size: large}}}]
        output: ${{ steps.large.output.size }}
        """,
        {"n": 7},
        "success",
        {"route": "success", "large": "success"},
        "large",
    ),
    "for_each": (
        """
        inputs: {people: {type: array}}
        steps:
          - id: greet
            for_each: ${{ inputs.people }}
            as: person
            max_parallel: 2
            action: set
            with: {values: {text: "${{ index }} ${{ person }}"}}
        output: ${{ steps.greet.output | map(attribute='text') | list }}
        """,
        {"people": ["ann", "bob", "cem"]},
        "success",
        {"greet": "success", "greet[0]": "success", "greet[1]": "success", "greet[2]": "success"},
        ["0 ann", "1 bob", "2 cem"],
    ),
    "group of steps for each": (
        """
        steps:
          - id: each
            for_each: [1, 2]
            steps:
              - {id: a, action: set, with: {values: {n: "${{ item * 10 }}"}}}
              - {id: b, action: set, with: {values: {n: "${{ steps.a.output.n + 1 }}"}}}
        """,
        {},
        "success",
        {
            "each": "success",
            "each[0]": "success",
            "each[0].a": "success",
            "each[0].b": "success",
            "each[1]": "success",
            "each[1].a": "success",
            "each[1].b": "success",
        },
        None,
    ),
    "continue_on_error": (
        """
        steps:
          - {id: a, continue_on_error: true, action: fail, with: {message: never mind}}
          - {id: b, action: set, with: {values: {why: "${{ steps.a.error.message }}"}}}
        output: ${{ steps.b.output.why }}
        """,
        {},
        "success",
        {"a": "failed", "b": "success"},
        "never mind",
    ),
    "failure": (
        """
        steps:
          - {id: a, action: fail, with: {message: broken}}
          - {id: b, action: set, with: {values: {n: 1}}}
        on_failure: [{id: alert, action: set, with: {values: {why: "${{ run.error.message }}"}}}]
        on_success: [{id: party, action: set, with: {values: {n: 1}}}]
        finally: [{id: clean, action: set, with: {values: {s: "${{ run.status }}"}}}]
        """,
        {},
        "failed",
        {"a": "failed", "b": "pending", "alert": "success", "clean": "success"},
        None,
    ),
    "success handlers": (
        """
        steps: [{id: a, action: set, with: {values: {n: 1}}}]
        on_failure: [{id: alert, action: set, with: {values: {n: 1}}}]
        on_success: [{id: party, action: set, with: {values: {n: 1}}}]
        finally: [{id: clean, action: set, with: {values: {n: 1}}}]
        """,
        {},
        "success",
        {"a": "success", "party": "success", "clean": "success"},
        None,
    ),
    "retries": (
        """
        steps:
          - id: a
            run: '[ "$NEXAFLOW_ATTEMPT" = 3 ]'
            retry: {max_attempts: 3, backoff_seconds: 0.001}
        """,
        {},
        "success",
        {"a": "success"},
        None,
    ),
    "retry_on": (
        """
        steps:
          - id: a
            run: exit 4
            retry: {max_attempts: 3, backoff_seconds: 0.001, retry_on: {exit_codes: [5]}}
        """,
        {},
        "failed",
        {"a": "failed"},
        None,
    ),
    "step timeout": (
        """
        steps: [{id: a, run: sleep 60, timeout: 20ms}]
        """,
        {},
        "failed",
        {"a": "failed"},
        None,
    ),
    "run timeout": (
        """
        timeout: 30ms
        steps: [{id: a, run: sleep 60}]
        finally: [{id: clean, action: set, with: {values: {n: 1}}}]
        """,
        {},
        "failed",
        {"a": "cancelled", "clean": "success"},
        None,
    ),
    "wait": (
        """
        steps: [{id: a, action: wait, with: {duration: 5ms}}]
        """,
        {},
        "success",
        {"a": "success"},
        None,
    ),
    "values": (
        """
        env: {WHO: "${{ inputs.who }}"}
        inputs: {who: {type: string, default: ann}}
        steps:
          - id: a
            run: echo "hello=$WHO $MORE" >> "$NEXAFLOW_OUTPUT"
            env: {MORE: "${{ run.id | length }}"}
        output: ${{ steps.a.values.hello }}
        """,
        {},
        "success",
        {"a": "success"},
        "ann 12",
    ),
    "output that cannot be computed": (
        """
        steps: [{id: a, action: set, with: {values: {n: 1}}}]
        output: ${{ steps.a.output.n / 0 }}
        on_failure: [{id: alert, action: set, with: {values: {n: 1}}}]
        """,
        {},
        "failed",
        {"a": "success", "alert": "success"},
        None,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_workflow_does_what_it_says(name: str, tmp_path: Path) -> None:
    body, inputs, status, expected, output = CASES[name]

    async def main() -> None:
        async with daemon_at(tmp_path, "name: case\n" + _dedent(body)) as daemon:
            shape = await run(daemon, "case", **inputs)
            assert shape["status"] == status, shape["error"]
            assert steps(shape) == expected
            assert shape["output"] == output
            assert (shape["error"] is None) == (status == "success")
            history = (await daemon.workflows.history("case"))["items"]
            assert [(row["id"], row["status"]) for row in history] == [(shape["id"], status)]

    asyncio.run(main())


def _dedent(text: str) -> str:
    from textwrap import dedent

    return dedent(text)


def test_attempts_are_told_with_their_errors(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon_at(tmp_path, "name: case\n" + _dedent(CASES["retries"][0])) as daemon:
            shape = await run(daemon, "case")
            attempts = step(shape, "a")["attempts"]
            assert [(a["attempt"], a["status"]) for a in attempts] == [
                (1, "failed"),
                (2, "failed"),
                (3, "success"),
            ]
            assert [a["error"] and a["error"]["exit_code"] for a in attempts] == [1, 1, None]
            errors = (await daemon.workflows.errors("case"))["items"]
            assert [(e["step"], e["attempt"]) for e in errors] == [("a", 2), ("a", 1)]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("${{ 2 ** 80 }}", "big number"),
        ("${{ [2 ** 80] }}", "big number in a list"),
        ("${{ 'a' * 100 }}", "text"),
        ("${{ 1.0e308 * 10 }}", "infinity"),
    ],
)
@pytest.mark.parametrize("place", ["output", "for_each", "with"])
def test_values_that_json_does_not_know_end_a_run_and_do_not_hang_it(
    expression: str, kind: str, place: str, tmp_path: Path
) -> None:
    value = f'"{expression}"' if place != "for_each" else f'"{expression.replace("[", "[")}"'
    source = {
        "output": f"steps: [{{id: a, {SET}}}]\noutput: {value}",
        "for_each": f"steps: [{{id: a, for_each: {value}, {SET}}}]",
        "with": f"steps: [{{id: a, action: set, with: {{values: {{n: {value}}}}}}}]",
    }[place]

    async def main() -> None:
        async with daemon_at(tmp_path) as daemon:
            try:
                await daemon.workflows.apply([("w.yaml", f"name: case\n{source}")])
            except InvalidError:
                return  # told even earlier
            shape = await run(daemon, "case")
            assert shape["status"] in {"success", "failed"}

    asyncio.run(main())


# Inputs.


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        ({}, "'n' is missing"),
        ({"n": "x"}, "input 'n': "),
        ({"n": 1, "regoin": "eu"}, r"unknown input 'regoin' \(did you mean region\?\)"),
        ({"n": 1, "region": "mars"}, "input 'region': .*(eu|us)"),
    ],
)
def test_inputs_that_do_not_fit_start_nothing(
    inputs: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    source = """
name: case
inputs:
  n: {type: integer}
  region: {type: string, enum: [eu, us], default: eu}
steps: [{id: a, action: set, with: {values: {n: 1}}}]
"""

    async def main() -> None:
        async with daemon_at(tmp_path, source) as daemon:
            with pytest.raises(InvalidError, match=problem):
                await daemon.runs.start("case", inputs)
            assert (await daemon.runs.list())["items"] == []
            shape = await run(daemon, "case", n=1)
            assert shape["inputs"] == {"n": 1, "region": "eu"}

    asyncio.run(main())


def test_unknown_names_are_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon_at(tmp_path, f"name: case\nsteps: [{{id: a, {SET}}}]") as daemon:
            with pytest.raises(NotFoundError, match="'cas'") as caught:
                await daemon.runs.start("cas")
            assert "did you mean case?" in caught.value.hint
            with pytest.raises(NotFoundError, match="no run"):
                await daemon.runs.get("nope")

    asyncio.run(main())


def test_an_idempotency_key_answers_with_the_first_run(tmp_path: Path) -> None:
    source = f"name: case\nsteps: [{{id: a, {SET}}}]"

    async def main() -> None:
        async with daemon_at(tmp_path, source) as daemon:
            made = await asyncio.gather(
                *(daemon.runs.start("case", idempotency_key="k") for _ in range(20))
            )
            assert len({shape["id"] for shape in made}) == 1
        async with daemon_at(tmp_path) as daemon:
            again = await daemon.runs.start("case", idempotency_key="k")
            assert again["id"] == made[0]["id"]
            other = await daemon.runs.start("case", idempotency_key="l")
            assert other["id"] != made[0]["id"]
            assert len((await daemon.runs.list())["items"]) == 2

    asyncio.run(main())
