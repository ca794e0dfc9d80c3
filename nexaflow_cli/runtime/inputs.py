"""A run's inputs: defaults filled in, then checked against the workflow's schemas."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from nexaflow_cli.actions.json_data import DEEPEST, deeper_than
from nexaflow_cli.errors import InvalidError
from nexaflow_cli.runtime.parameters import describe
from nexaflow_cli.spec.schema import ValueSchema


class InputCheck:
    """The inputs that one version of a workflow takes."""

    def __init__(self, workflow: str, schemas: Mapping[str, Mapping[str, Any]]) -> None:
        self._workflow = workflow
        self._schemas = schemas
        self._validators: dict[str, ValueSchema] = {}

    def complete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All inputs of a run.

        Raises:
            InvalidError: an input is unknown, missing, or not what its schema says; the
                message names every one of them.
        """
        if not self._schemas and not given:
            return {}
        problems, values = [], dict[str, Any]()
        for name in given:
            if name not in self._schemas:
                near = get_close_matches(name, self._schemas, n=1)
                problems.append(
                    f"unknown input {name!r}" + (f" (did you mean {near[0]}?)" if near else "")
                )
        for name, schema in self._schemas.items():
            if name in given:
                values[name] = given[name]
                if problem := self._problem(name, schema, given[name]):
                    problems.append(f"input {name!r}: {problem}")
            elif "default" in schema:
                values[name] = schema["default"]
            else:
                problems.append(f"input {name!r} is missing")
        if problems:
            raise InvalidError(
                f"workflow {self._workflow} cannot start: {'; '.join(problems)}",
                hint=f"`nexaflow workflows get {self._workflow}` shows its inputs; "
                "give them with -i NAME=VALUE",
            )
        return values

    def _problem(self, name: str, schema: Mapping[str, Any], value: Any) -> str | None:
        if deeper_than(DEEPEST, value):
            return f"it is nested deeper than {DEEPEST} levels"
        validator = self._validators.get(name)
        if validator is None:
            validator = self._validators[name] = ValueSchema(schema)
        return describe(validator.problems(value))
