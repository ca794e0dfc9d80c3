"""Keywords of JSON Schema that combine other schemas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nexaflow_cli.spec.places import Path
from nexaflow_cli.spec.shape import Check, Problem, Run, Shape, WrongSchemaError, passes
from nexaflow_cli.spec.shape_types import kind_of

Schema = Mapping[str, Any]


def dependent_required(schema: Schema, shape: Shape) -> Check:
    pairs = [
        (key, list(needed)) for key, needed in _members(schema, "dependentRequired", list).items()
    ]

    def check(value: Any, path: Path, run: Run) -> None:
        if not isinstance(value, dict):
            return
        for key, needed in pairs:
            missing = [name for name in needed if name not in value] if key in value else []
            if missing:
                message = f"`{key}` goes with `{missing[0]}`, which is not here"
                run.add("conflicting-keys", message, (*path, key), of_key=True)

    return check


def dependent_schemas(schema: Schema, shape: Shape) -> Check:
    pairs = [
        (key, shape.compile(inner), inner.get("errorMessage", f"`{key}` does not fit here"))
        for key, inner in _members(schema, "dependentSchemas", dict).items()
    ]

    def check(value: Any, path: Path, run: Run) -> None:
        if not isinstance(value, dict):
            return
        for key, inner, message in pairs:
            if key in value and not passes(inner, value, run):
                run.add("conflicting-keys", message, (*path, key), of_key=True)

    return check


def _branches(schema: Schema, keyword: str) -> list[Any]:
    branches = schema[keyword]
    if not isinstance(branches, list) or not branches:
        raise WrongSchemaError(keyword)
    return branches


def _members(schema: Schema, keyword: str, kind: type) -> dict[str, Any]:
    members = schema[keyword]
    if not isinstance(members, dict) or not all(isinstance(one, kind) for one in members.values()):
        raise WrongSchemaError(keyword)
    return members


def one_of(schema: Schema, shape: Shape) -> Check:
    branches = _branches(schema, "oneOf")
    if all(_is_one_key(branch) for branch in branches):
        return _one_key([branch["required"][0] for branch in branches])
    return _alternatives(branches, shape, exactly_one=True)


def _is_one_key(branch: Any) -> bool:
    if not isinstance(branch, dict) or set(branch) != {"required"}:
        return False
    return isinstance(branch["required"], list) and len(branch["required"]) == 1


def _one_key(names: list[str]) -> Check:
    listed = ", ".join(f"`{name}`" for name in names)

    def check(value: Any, path: Path, run: Run) -> None:
        if not isinstance(value, dict):
            # Every branch holds for what is no mapping, and only one may.
            if len(names) > 1:
                found = "it is empty" if value is None else f"it is {kind_of(value)}"
                run.add("wrong-type", f"this must be a mapping, but {found}", path)
            return
        present = [key for key in value if key in names]
        if not present:
            run.add("missing-key", f"one of {listed} is missing", path)
        for extra in present[1:]:
            message = f"`{extra}` and `{present[0]}` cannot be together; take one of {listed}"
            run.add("conflicting-keys", message, (*path, extra), of_key=True)

    return check


def any_of(schema: Schema, shape: Shape) -> Check:
    return _alternatives(_branches(schema, "anyOf"), shape, exactly_one=False)


def _alternatives(branches: list[Any], shape: Shape, exactly_one: bool) -> Check:
    checks = [shape.compile(branch) for branch in branches]

    def check(value: Any, path: Path, run: Run) -> None:
        attempts: list[list[Problem]] = []
        for inner in checks:
            trial = Run(run.lenient)
            inner(value, path, trial)
            attempts.append(trial.problems)
        passed = sum(not problems for problems in attempts)
        if passed == 1 or (passed and (run.lenient or not exactly_one)):
            return
        if passed:
            run.add("wrong-value", "this fits more than one of the forms allowed here", path)
            return
        # What fits by type tells most of what was meant.
        right_type = [
            problems
            for problems in attempts
            if not any(one.code == "wrong-type" and one.path == path for one in problems)
        ]
        if right_type:
            closest: list[Problem] = min(right_type, key=len)
            run.problems.extend(closest)
        elif all(problems[0].message.startswith("this must be ") for problems in attempts):
            wanted = dict.fromkeys(
                problems[0].message.removeprefix("this must be ").split(", but ")[0]
                for problems in attempts
            )
            found = "it is empty" if value is None else f"it is {kind_of(value)}"
            message = f"this must be {' or '.join(wanted)}, but {found}"
            run.add("wrong-type", message, path)
        else:
            run.problems.extend(attempts[0])

    return check


def all_of(schema: Schema, shape: Shape) -> Check:
    checks = [shape.compile(branch) for branch in _branches(schema, "allOf")]

    def check(value: Any, path: Path, run: Run) -> None:
        for inner in checks:
            inner(value, path, run)

    return check


def not_of(schema: Schema, shape: Shape) -> Check:
    inner = shape.compile(schema["not"])

    def check(value: Any, path: Path, run: Run) -> None:
        if not run.lenient and passes(inner, value, run):
            run.add("wrong-value", schema.get("errorMessage", "this is not allowed here"), path)

    return check
