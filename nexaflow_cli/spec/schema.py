"""The schema of a workflow file, as shipped."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nexaflow_cli.spec.shape import Problem, Shape, UnsupportedSchemaError

_NAME = "workflow.schema.json"


def schema_path() -> Path:
    """Where the schema is: in the wheel's data, or at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    packaged = package / "_data" / "schemas" / _NAME
    return packaged if packaged.is_file() else package.parent / "schemas" / _NAME


def schema_text() -> str:
    """The schema as JSON text."""
    return schema_path().read_text(encoding="utf-8")


@functools.cache
def workflow_shape() -> Shape:
    """The compiled schema of a workflow."""
    return Shape(json.loads(schema_text()))


class ValueSchema:
    """Any JSON Schema as a check of values, compiled once.

    Args:
        schema: Draft 2020-12. The usual keywords are compiled here; for others the `jsonschema`
            package is used, which is slower. Remote references are never followed.

    Raises:
        ValueError: the schema itself is wrong.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._shape: Shape | None = None
        self._validator: Any = None
        try:
            self._shape = Shape(schema)
        except UnsupportedSchemaError:
            self._validator = _validator(schema)

    def problems(self, value: Any, *, lenient: bool = False) -> list[Problem]:
        """Everything that is wrong with the value.

        Args:
            value: JSON data.
            lenient: text with a `${{` in it stands for a value not known yet, which fits all.
        """
        if self._shape is not None:
            return self._shape.problems(value, lenient=lenient)
        if lenient and _holds_expression(value):
            return []
        return [
            Problem("wrong-value", str(error.message), tuple(error.absolute_path))
            for error in self._validator.iter_errors(value)
        ]


def _validator(schema: Mapping[str, Any]) -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError
    from referencing import Registry

    _check_references(schema)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ValueError(f"not a JSON Schema: {error.message}") from None
    # An empty registry: a `$ref` to elsewhere fails instead of being fetched.
    return Draft202012Validator(schema, registry=Registry())


def _check_references(schema: Mapping[str, Any]) -> None:
    """Every reference must lead somewhere inside the schema itself."""
    pending: list[Any] = [schema]
    while pending:
        item = pending.pop()
        if isinstance(item, Mapping):
            pending.extend(item.values())
            reference = item.get("$ref")
            if isinstance(reference, str) and not _resolves(reference, schema):
                raise ValueError(f"the reference `{reference[:100]}` leads nowhere in the schema")
        elif isinstance(item, list):
            pending.extend(item)


def _resolves(reference: str, schema: Any) -> bool:
    if reference == "#":
        return True
    target = schema
    for part in reference.removeprefix("#/").split("/"):
        if not isinstance(target, Mapping) or part not in target:
            return False
        target = target[part]
    return reference.startswith("#/")


def _holds_expression(value: Any) -> bool:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            if "${{" in item:
                return True
        elif isinstance(item, Mapping):
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return False
