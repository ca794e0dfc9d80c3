"""`-i key=value`: words to inputs of the declared types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nexaflow_cli.cli.inputs import parse
from nexaflow_cli.errors import NotFoundError, UsageError

SCHEMAS: dict[str, Any] = {
    "name": {"type": "string"},
    "count": {"type": "integer"},
    "ratio": {"type": "number"},
    "dry": {"type": "boolean"},
    "tags": {"type": "array", "items": {"type": "string"}},
    "sizes": {"type": "array", "items": {"type": "integer"}},
    "options": {"type": "object"},
    "limit": {"type": ["integer", "null"]},
    "level": {"enum": [1, 2, "high"]},
    "free": {},
}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["name=12"], {"name": "12"}),
        (["name="], {"name": ""}),
        (["name=a=b"], {"name": "a=b"}),
        (["count=12"], {"count": 12}),
        (["ratio=0.5"], {"ratio": 0.5}),
        (["ratio=2"], {"ratio": 2}),
        (["dry=yes"], {"dry": True}),
        (["dry=False"], {"dry": False}),
        (['tags=["a","b"]'], {"tags": ["a", "b"]}),
        (["tags=a", "tags=b"], {"tags": ["a", "b"]}),
        (["sizes=1", "sizes=2"], {"sizes": [1, 2]}),
        (['options={"a": 1}'], {"options": {"a": 1}}),
        (["limit=null"], {"limit": None}),
        (["limit=3"], {"limit": 3}),
        (["level=2"], {"level": 2}),
        (["level=high"], {"level": "high"}),
        (["free=text"], {"free": "text"}),
        (["free=[1]"], {"free": [1]}),
        (["name=a", "name=b"], {"name": "b"}),
    ],
)
def test_words_take_the_declared_types(words: list[str], found: dict[str, Any]) -> None:
    assert parse(words, SCHEMAS) == found


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("name", "'name' is not an input"),
        ("=x", "'=x' is not an input"),
        ("nme=x", "the workflow has no input 'nme'"),
        ("count=many", "input count is to be a whole number, and 'many' is not"),
        ("count=1.5", "input count is to be a whole number"),
        ("ratio=true", "input ratio is to be a number"),
        ("dry=maybe", "input dry is to be true or false"),
        ("options=[1]", "input options is to be a JSON object"),
        ("tags=[1", "input tags is to be a JSON array"),
        ("limit=x", "input limit is to be a whole number or null"),
    ],
)
def test_what_does_not_fit_is_said(word: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse([word], SCHEMAS)
    assert message in caught.value.message


def test_a_slip_is_guessed() -> None:
    with pytest.raises(UsageError) as caught:
        parse(["nmae=x"], SCHEMAS)
    assert caught.value.hint == "did you mean 'name'?"


def test_a_file_gives_an_object_and_later_words_win(tmp_path: Path) -> None:
    file = tmp_path / "inputs.json"
    file.write_text('{"name": "from file", "count": 1}')
    assert parse([f"@{file}", "count=2"], SCHEMAS) == {"name": "from file", "count": 2}


@pytest.mark.parametrize("text", ["[1]", "{", "3"])
def test_a_file_without_an_object_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "inputs.json"
    file.write_text(text)
    with pytest.raises(UsageError):
        parse([f"@{file}"], SCHEMAS)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(NotFoundError):
        parse(["@/no/such.json"], SCHEMAS)
