"""The keywords of JSON Schema that `shape` knows: each compiles to one check."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from nexaflow_cli.spec.places import Path
from nexaflow_cli.spec.shape import (
    Check,
    Problem,
    Run,
    Shape,
    UnsupportedSchemaError,
    passes,
    pattern,
    unknown_key,
)

Schema = Mapping[str, Any]
Compile = Callable[[Schema, Shape], Check | None]

_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        not isinstance(value, bool)
        and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
    ),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, Mapping),
}
_WORDS = {
    "string": "text",
    "boolean": "true or false",
    "null": "null",
    "number": "a number",
    "integer": "a whole number",
    "array": "a list",
    "object": "a mapping",
}


def kind_of(value: Any) -> str:
    """What a person calls the type of the value."""
    for name in ("boolean", "string", "null", "integer", "number", "array", "object"):
        if _TYPES[name](value):
            return _WORDS[name]
    return type(value).__name__


def _names(schema: Schema) -> list[str]:
    names = schema["type"]
    listed = [names] if isinstance(names, str) else list(names)
    if not set(listed) <= set(_TYPES):
        raise UnsupportedSchemaError(f"the type `{names}`")
    return listed


def _type(schema: Schema, shape: Shape) -> Check:
    names = _names(schema)
    tests = [_TYPES[name] for name in names]
    wanted = " or ".join(_WORDS[name] for name in names)

    def check(value: Any, path: Path, run: Run) -> None:
        if not any(test(value) for test in tests):
            # `key:` with nothing after it is the usual way to come by a null.
            found = "it is empty" if value is None else f"it is {kind_of(value)}"
            hint = "put it in quotes" if wanted == "text" and _is_scalar(value) else ""
            run.add("wrong-type", f"this must be {wanted}, but {found}", path, hint)

    return check


def _is_scalar(value: Any) -> bool:
    return isinstance(value, bool | int | float)


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list | Mapping):
        return type(left) is type(right) and _canonical(left) == _canonical(right)
    return bool(left == right)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _enum(schema: Schema, shape: Shape) -> Check:
    allowed = list(schema["enum"])
    listed = ", ".join(str(one) if isinstance(one, str) else _canonical(one) for one in allowed)

    def check(value: Any, path: Path, run: Run) -> None:
        if not any(_same(value, one) for one in allowed):
            from nexaflow_cli.spec.nearest import nearest

            texts = [one for one in allowed if isinstance(one, str)]
            near = nearest(value, texts) if isinstance(value, str) else None
            hint = f"did you mean `{near}`?" if near else ""
            run.add("wrong-value", f"this must be one of: {listed}", path, hint)

    return check


def _const(schema: Schema, shape: Shape) -> Check:
    wanted = schema["const"]

    def check(value: Any, path: Path, run: Run) -> None:
        if not _same(value, wanted):
            run.add("wrong-value", f"this must be {_canonical(wanted)}", path)

    return check


def _pattern(schema: Schema, shape: Shape) -> Check:
    regex = pattern(schema["pattern"])
    message = schema.get("patternErrorMessage") or f"this must match {schema['pattern']}"

    def check(value: Any, path: Path, run: Run) -> None:
        if isinstance(value, str) and not regex.search(value):
            run.add("wrong-value", message, path)

    return check


def _bound(keyword: str, fits: Callable[[Any, Any], bool], words: str, kind: str) -> Compile:
    def compile_bound(schema: Schema, shape: Shape) -> Check:
        limit = schema[keyword]

        def check(value: Any, path: Path, run: Run) -> None:
            if kind == "number":
                if not _TYPES["number"](value):
                    return
                size, unit = value, ""
            elif _TYPES[kind](value):
                size = len(value)
                unit = {"string": " characters", "array": " elements", "object": " keys"}[kind]
            else:
                return
            if not fits(size, limit):
                run.add("wrong-value", f"this must {words} {limit}{unit}", path)

        return check

    return compile_bound


def _multiple_of(schema: Schema, shape: Shape) -> Check:
    step = schema["multipleOf"]
    if not step > 0:
        raise UnsupportedSchemaError("multipleOf must be above 0")

    def check(value: Any, path: Path, run: Run) -> None:
        if _TYPES["number"](value):
            ratio = value / step
            if not math.isfinite(ratio) or abs(ratio - round(ratio)) > 1e-9:
                run.add("wrong-value", f"this must be a multiple of {step}", path)

    return check


def _unique(schema: Schema, shape: Shape) -> Check | None:
    if not schema["uniqueItems"]:
        return None

    def check(value: Any, path: Path, run: Run) -> None:
        if not isinstance(value, list):
            return
        seen: set[str] = set()
        for index, item in enumerate(value):
            key = _canonical(item)
            if key in seen:
                run.add("wrong-value", "this is in the list already", (*path, index))
            seen.add(key)

    return check


def _items(schema: Schema, shape: Shape) -> Check:
    inner = shape.compile(schema["items"])

    def check(value: Any, path: Path, run: Run) -> None:
        if isinstance(value, list):
            for index, item in enumerate(value):
                inner(item, (*path, index), run)

    return check


def _properties(schema: Schema, shape: Shape) -> Check:
    known = {name: shape.compile(inner) for name, inner in schema.get("properties", {}).items()}
    rest = schema.get("additionalProperties", True)
    others = None if isinstance(rest, bool) else shape.compile(rest)
    open_end = rest is True

    def check(value: Any, path: Path, run: Run) -> None:
        if not isinstance(value, Mapping):
            return
        for key, item in value.items():
            inner = known.get(key, others)
            if inner is not None:
                inner(item, (*path, key), run)
            elif not open_end:
                unknown_key(key, known, path, run)

    return check


def _additional(schema: Schema, shape: Shape) -> Check | None:
    # `properties` sees to it where both are there.
    return None if "properties" in schema else _properties(schema, shape)


def _required(schema: Schema, shape: Shape) -> Check:
    names = list(schema["required"])

    def check(value: Any, path: Path, run: Run) -> None:
        if isinstance(value, Mapping):
            for name in names:
                if name not in value:
                    run.add("missing-key", f"`{name}` is missing", path)

    return check


def _property_names(schema: Schema, shape: Shape) -> Check:
    inner = shape.compile(schema["propertyNames"])

    def check(value: Any, path: Path, run: Run) -> None:
        if not isinstance(value, Mapping):
            return
        for key in value:
            trial = Run(False)
            inner(key, (), trial)
            for problem in trial.problems[:1]:
                message = problem.message.replace("this must", "a name here must", 1)
                run.add("wrong-key", message, (*path, key), problem.hint, of_key=True)

    return check


def _dependent_required(schema: Schema, shape: Shape) -> Check:
    pairs = [(key, list(needed)) for key, needed in schema["dependentRequired"].items()]

    def check(value: Any, path: Path, run: Run) -> None:
        if not isinstance(value, Mapping):
            return
        for key, needed in pairs:
            missing = [name for name in needed if name not in value] if key in value else []
            if missing:
                message = f"`{key}` goes with `{missing[0]}`, which is not here"
                run.add("conflicting-keys", message, (*path, key), of_key=True)

    return check


def _dependent_schemas(schema: Schema, shape: Shape) -> Check:
    pairs = [
        (key, shape.compile(inner), inner.get("errorMessage", f"`{key}` does not fit here"))
        for key, inner in schema["dependentSchemas"].items()
    ]

    def check(value: Any, path: Path, run: Run) -> None:
        if not isinstance(value, Mapping):
            return
        for key, inner, message in pairs:
            if key in value and not passes(inner, value, run):
                run.add("conflicting-keys", message, (*path, key), of_key=True)

    return check


def _one_of(schema: Schema, shape: Shape) -> Check:
    branches = schema["oneOf"]
    if all(set(branch) == {"required"} and len(branch["required"]) == 1 for branch in branches):
        return _one_key([branch["required"][0] for branch in branches])
    return _alternatives(branches, shape, exactly_one=True)


def _one_key(names: list[str]) -> Check:
    listed = ", ".join(f"`{name}`" for name in names)

    def check(value: Any, path: Path, run: Run) -> None:
        if not isinstance(value, Mapping):
            return
        present = [key for key in value if key in names]
        if not present:
            run.add("missing-key", f"one of {listed} is missing", path)
        for extra in present[1:]:
            message = f"`{extra}` and `{present[0]}` cannot be together; take one of {listed}"
            run.add("conflicting-keys", message, (*path, extra), of_key=True)

    return check


def _any_of(schema: Schema, shape: Shape) -> Check:
    return _alternatives(schema["anyOf"], shape, exactly_one=False)


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
            run.problems.extend(min(right_type, key=_count))
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


def _count(problems: list[Problem]) -> int:
    return len(problems)


def _all(schema: Schema, shape: Shape) -> Check:
    checks = [shape.compile(branch) for branch in schema["allOf"]]

    def check(value: Any, path: Path, run: Run) -> None:
        for inner in checks:
            inner(value, path, run)

    return check


def _not(schema: Schema, shape: Shape) -> Check:
    inner = shape.compile(schema["not"])

    def check(value: Any, path: Path, run: Run) -> None:
        if not run.lenient and passes(inner, value, run):
            run.add("wrong-value", schema.get("errorMessage", "this is not allowed here"), path)

    return check


KEYWORDS: dict[str, Compile] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "patternErrorMessage": lambda schema, shape: None,
    "minimum": _bound("minimum", lambda size, limit: size >= limit, "be at least", "number"),
    "maximum": _bound("maximum", lambda size, limit: size <= limit, "be at most", "number"),
    "exclusiveMinimum": _bound(
        "exclusiveMinimum", lambda size, limit: size > limit, "be above", "number"
    ),
    "exclusiveMaximum": _bound(
        "exclusiveMaximum", lambda size, limit: size < limit, "be below", "number"
    ),
    "minLength": _bound("minLength", lambda n, limit: n >= limit, "have at least", "string"),
    "maxLength": _bound("maxLength", lambda n, limit: n <= limit, "have at most", "string"),
    "minItems": _bound("minItems", lambda n, limit: n >= limit, "have at least", "array"),
    "maxItems": _bound("maxItems", lambda n, limit: n <= limit, "have at most", "array"),
    "minProperties": _bound(
        "minProperties", lambda n, limit: n >= limit, "have at least", "object"
    ),
    "maxProperties": _bound("maxProperties", lambda n, limit: n <= limit, "have at most", "object"),
    "multipleOf": _multiple_of,
    "uniqueItems": _unique,
    "items": _items,
    "properties": _properties,
    "additionalProperties": _additional,
    "required": _required,
    "propertyNames": _property_names,
    "dependentRequired": _dependent_required,
    "dependentSchemas": _dependent_schemas,
    "oneOf": _one_of,
    "anyOf": _any_of,
    "allOf": _all,
    "not": _not,
}
