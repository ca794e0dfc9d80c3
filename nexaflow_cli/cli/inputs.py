"""`-i key=value` as inputs of the types that a workflow declares."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nexaflow_cli.errors import NotFoundError, UsageError

_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}
_EXAMPLE = "write it as -i region=eu, or give a JSON object with -i @inputs.json"


def parse(words: Iterable[str], schemas: Mapping[str, Any] | None) -> dict[str, Any]:
    """Turn the values of `-i` into inputs.

    Args:
        words: each `key=value`, or `@file` that holds a JSON object.
        schemas: the JSON Schema of each declared input; None where they are not known.

    Raises:
        UsageError: a word that is neither, an unknown input, or a value that is not of its type.
    """
    found: dict[str, Any] = {}
    for word in words:
        if word.startswith("@"):
            found.update(_object(Path(word[1:])))
            continue
        key, equals, text = word.partition("=")
        if not equals or not key:
            raise UsageError(f"{word!r} is not an input", hint=_EXAMPLE)
        schema = _schema(key, schemas)
        value = _value(key, text, schema)
        if isinstance(value, list) and isinstance(found.get(key), list):
            value = [*found[key], *value]
        found[key] = value
    return found


def _object(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFoundError(f"there is no file {path} with inputs") from error
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise UsageError(f"{path} does not hold a JSON object", hint=_EXAMPLE)
    return data


def _schema(key: str, schemas: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if schemas is None:
        return {}
    if key in schemas:
        found: Mapping[str, Any] = schemas[key]
        return found
    from difflib import get_close_matches

    close = get_close_matches(key, list(schemas), n=1)
    known = ", ".join(schemas) or "none"
    raise UsageError(
        f"the workflow has no input {key!r}; it has: {known}",
        hint=f"did you mean {close[0]!r}?" if close else "",
    )


def _value(key: str, text: str, schema: Mapping[str, Any]) -> Any:
    declared = schema.get("type")
    if declared is None and "enum" in schema:
        same = [choice for choice in schema["enum"] if str(choice) == text]
        return same[0] if same else text
    kinds = [declared] if isinstance(declared, str) else list(declared or ["any"])
    for kind in kinds:
        try:
            return _READ[kind](text, schema)
        except (ValueError, KeyError):
            continue
    expected = " or ".join(_WORDS.get(kind, kind) for kind in kinds)
    raise UsageError(f"input {key} is to be {expected}, and {text!r} is not")


def _boolean(text: str, schema: Mapping[str, Any]) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError(text)


def _null(text: str, schema: Mapping[str, Any]) -> None:
    if text not in {"", "null"}:
        raise ValueError(text)


def _array(text: str, schema: Mapping[str, Any]) -> list[Any]:
    if text.lstrip().startswith("["):
        found = json.loads(text)
        if not isinstance(found, list):
            raise ValueError(text)
        return found
    return [_value("item", text, schema.get("items") or {})]


def _mapping(text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError(text)
    return found


def _number(text: str, schema: Mapping[str, Any]) -> float:
    found = json.loads(text)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise ValueError(text)
    return found


def _any(text: str, schema: Mapping[str, Any]) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


_READ = {
    "string": lambda text, schema: text,
    "integer": lambda text, schema: int(text),
    "number": _number,
    "boolean": _boolean,
    "null": _null,
    "array": _array,
    "object": _mapping,
    "any": _any,
}
_WORDS = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a JSON array",
    "object": "a JSON object",
}
