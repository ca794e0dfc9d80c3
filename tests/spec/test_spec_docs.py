"""The reference of the YAML says what is true."""

import ast
import re
from pathlib import Path

import nexaflow_cli.spec
from nexaflow_cli.spec.filtering import FILTER_NAMES, TEST_NAMES
from nexaflow_cli.spec.load import load_text
from nexaflow_cli.spec.schema import schema_text

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "workflow-yaml.md").read_text()


def test_the_example_is_valid():
    example = re.search(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    (document,) = load_text(example[1], "docs/workflow-yaml.md")
    assert document.diagnostics == []


def codes_in_code() -> set[str]:
    """Literal first arguments of whatever reports a problem."""
    reporters = {"add", "add_span", "add_inside", "report", "SourceProblem", "_parsed"}
    found = set()
    for path in Path(nexaflow_cli.spec.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                first = node.args[0]
                if name in reporters and isinstance(first, ast.Constant):
                    found.add(first.value)
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
                first = node.value.elts[0]
                if len(node.value.elts) == 4 and isinstance(first, ast.Constant):
                    found.add(first.value)
    return {code for code in found if isinstance(code, str) and "-" in code}


def test_every_code_is_documented():
    table = DOCS.split("## Diagnostics")[1]
    documented = set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", table))
    assert codes_in_code() | {"unknown-input"} == documented


def test_every_filter_and_test_is_named():
    names = set(re.findall(r"[a-z0-9_]+", DOCS.split("Filters:")[1].split("## YAML")[0]))
    assert names >= FILTER_NAMES
    assert names >= TEST_NAMES


def test_every_key_is_named():
    import json

    schema = json.loads(schema_text())
    keys = set(schema["properties"])
    for name in ("trigger", "step", "retry", "failures", "input"):
        keys |= set(schema["$defs"][name]["properties"])
    assert keys <= set(re.findall(r"[A-Za-z_]+", DOCS))


def test_the_model_imports_next_to_nothing():
    import subprocess
    import sys

    code = (
        "import sys, nexaflow_cli.spec.model, nexaflow_cli.spec.load, nexaflow_cli.spec.patterns,"
        "nexaflow_cli.spec.expressions, nexaflow_cli.spec.durations, nexaflow_cli.spec.cron;"
        "print([m for m in ('yaml', 'jinja2', 'jsonschema', 'cronsim') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
