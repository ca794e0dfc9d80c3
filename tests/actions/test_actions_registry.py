"""Every action explains itself, and the reference in docs says the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from nexaflow_cli.actions import base
from nexaflow_cli.actions.base import Action
from nexaflow_cli.actions.reference import reference
from nexaflow_cli.actions.registry import BUILTIN, signatures
from nexaflow_cli.runtime import warden

ACTIONS = list(BUILTIN.values())
EACH = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
DOCS = Path(__file__).parents[2] / "docs" / "actions.md"


def objects(schema: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(schema, Mapping):
        if "properties" in schema:
            yield path, schema
        for name, inner in schema.items():
            yield from objects(inner, f"{path}/{name}")
    elif isinstance(schema, list):
        for index, inner in enumerate(schema):
            yield from objects(inner, f"{path}/{index}")


def test_the_actions_are_those_that_the_product_promises() -> None:
    assert list(BUILTIN) == [
        "shell",
        "http.request",
        *("file.read", "file.write", "file.append", "file.copy", "file.move", "file.delete"),
        "file.list",
        *("set", "log", "fail", "wait"),
    ]
    assert signatures() == {name: action.schema for name, action in BUILTIN.items()}


@EACH
def test_schema_is_strict_and_describes_every_property(action: Action) -> None:
    Draft202012Validator.check_schema(action.schema)
    for path, schema in objects(action.schema):
        assert schema["additionalProperties"] is False, path
        for name, inner in schema["properties"].items():
            assert inner["description"].endswith("."), f"{path}/{name}"


@EACH
def test_action_has_a_summary_an_output_and_an_example_that_fits(action: Action) -> None:
    assert action.summary.endswith(".")
    assert action.output.endswith(".")
    for step in yaml.safe_load(action.example):
        params = dict(step.get("with", {}))
        if "run" in step:
            params = {"script": step["run"], "output": step["output"]}
        else:
            assert step["action"] == action.name
        Draft202012Validator(action.schema).validate(params)


def test_the_reference_in_docs_is_up_to_date() -> None:
    assert DOCS.read_text() == reference(BUILTIN), "run: python -m nexaflow_cli.actions.reference"


def test_listing_actions_loads_nothing_heavy() -> None:
    script = (
        "import sys, nexaflow_cli.actions.registry\n"
        "heavy = {'asyncio', 'httpx', 'jsonschema', 'jinja2', 'orjson', 'subprocess', 'ssl'}\n"
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_actions_and_warden_mean_the_same_variable() -> None:
    assert base.OWNER_VARIABLE == warden.OWNER_VARIABLE
