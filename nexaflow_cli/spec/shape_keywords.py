"""The keywords of JSON Schema that `shape` knows: each compiles to one check."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from nexaflow_cli.spec import shape_combining as combining
from nexaflow_cli.spec.places import Path
from nexaflow_cli.spec.shape import (
    MAX_PROBLEMS,
    Check,
    Run,
    Shape,
    WrongSchemaError,
    pattern,
    unknown_key,
)
from nexaflow_cli.spec.shape_types import EXACT, TYPES, WORDS, kind_of

Schema = Mapping[str, Any]
Compile = Callable[[Schema, Shape], Check | None]


def _names(schema: Schema) -> list[str]:
    names = schema["type"]
    listed = [names] if isinstance(names, str) else names
    if not isinstance(listed, list) or not all(name in list(TYPES) for name in listed):
        raise WrongSchemaError("type")
    return listed


def _type(schema: Schema, shape: Shape) -> Check:
    names = _names(schema)
    exact = frozenset(kind for name in names for kind in EXACT[name])
    tests = [TYPES[name] for name in names]
    wanted = " or ".join(WORDS[name] for name in names)

    def check(value: Any, path: Path, run: Run) -> None:
        if type(value) not in exact and not any(test(value) for test in tests):
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
    allowed = schema["enum"]
    if not isinstance(allowed, list):
        raise WrongSchemaError("enum")
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
        if not TYPES["number"](limit):
            raise WrongSchemaError(keyword)

        def check(value: Any, path: Path, run: Run) -> None:
            if kind == "number":
                if not TYPES["number"](value):
                    return
                size, unit = value, ""
            elif TYPES[kind](value):
                size = len(value)
                unit = {"string": " character", "array": " element", "object": " key"}[kind]
                unit += "s" if limit != 1 else ""
            else:
                return
            if not fits(size, limit):
                run.add("wrong-value", f"this must {words} {limit}{unit}", path)

        return check

    return compile_bound


def _multiple_of(schema: Schema, shape: Shape) -> Check:
    step = schema["multipleOf"]
    if not TYPES["number"](step) or not step > 0:
        raise WrongSchemaError("multipleOf")

    def check(value: Any, path: Path, run: Run) -> None:
        if TYPES["number"](value):
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
                if len(run.problems) >= MAX_PROBLEMS:
                    return

    return check


def _properties(schema: Schema, shape: Shape) -> Check:
    fields = schema.get("properties", {})
    if not isinstance(fields, dict):
        raise WrongSchemaError("properties")
    known = {name: shape.compile(inner) for name, inner in fields.items()}
    rest = schema.get("additionalProperties", True)
    others = None if isinstance(rest, bool) else shape.compile(rest)
    open_end = rest is True

    def check(value: Any, path: Path, run: Run) -> None:
        if not isinstance(value, dict):
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
    names = schema["required"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise WrongSchemaError("required")

    def check(value: Any, path: Path, run: Run) -> None:
        if isinstance(value, dict):
            for name in names:
                if name not in value:
                    run.add("missing-key", f"`{name}` is missing", path)

    return check


def _property_names(schema: Schema, shape: Shape) -> Check:
    inner = shape.compile(schema["propertyNames"])

    def check(value: Any, path: Path, run: Run) -> None:
        if not isinstance(value, dict):
            return
        for key in value:
            trial = Run(False)
            inner(key, (), trial)
            for problem in trial.problems[:1]:
                message = problem.message.replace("this must", "a name here must", 1)
                run.add("wrong-key", message, (*path, key), problem.hint, of_key=True)

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
    "dependentRequired": combining.dependent_required,
    "dependentSchemas": combining.dependent_schemas,
    "oneOf": combining.one_of,
    "anyOf": combining.any_of,
    "allOf": combining.all_of,
    "not": combining.not_of,
}
