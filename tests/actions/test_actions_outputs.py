"""The `key=value` file of a step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexaflow_cli.actions.base import ActionError
from nexaflow_cli.actions.outputs import Tail, parse_values
from nexaflow_cli.actions.sizes import size


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("a=1\n", {"a": "1"}),
        ("a=1\r\nb=2", {"a": "1", "b": "2"}),
        ("\n a = 1 \n", {"a": " 1 "}),
        ("a=\n", {"a": ""}),
        ("a=x=y<<z\n", {"a": "x=y<<z"}),
        ("a=1\na=2\n", {"a": "2"}),
        ("a<<END\none\n\ntwo\nEND\nb=1\n", {"a": "one\n\ntwo", "b": "1"}),
        ("a<<END\nEND\n", {"a": ""}),
        ("a<<E=F\nx\nE=F\n", {"a": "x"}),
        ("a-b_2=x\n", {"a-b_2": "x"}),
    ],
)
def test_lines_and_blocks(text: str, values: dict[str, str]) -> None:
    assert parse_values(text) == values


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("a=1\nnonsense\n", "line 2 is not key=value: 'nonsense'"),
        ("a b=1\n", "line 1: 'a b' is no name (letters, digits, _ and -)"),
        ("=1\n", "line 1: '' is no name (letters, digits, _ and -)"),
        ("1a=1\n", "line 1: '1a' is no name (letters, digits, _ and -)"),
        ("a<<END\nx\n", "the block of line 1 has no line 'END' that ends it"),
        ("a<<\nx\n", "line 1: after << comes the word that ends the block"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, cause: str) -> None:
    with pytest.raises(ActionError) as caught:
        parse_values(text)
    assert caught.value.message.endswith(cause)


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,20}", fullmatch=True)
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"))


@given(st.dictionaries(NAMES, WORDS))
def test_any_value_survives_as_a_block(values: dict[str, str]) -> None:
    end = "END-8c1f"
    text = "".join(f"{name}<<{end}\n{value}\n{end}\n" for name, value in values.items())
    assert parse_values(text) == values


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert all(isinstance(value, str) for value in parse_values(text).values())
    except ActionError as error:
        assert error.message.startswith("cannot take the values of $NEXAFLOW_OUTPUT: ")


def test_a_secret_is_masked_before_a_line_is_cut() -> None:
    for before, after in ((390, 100), (8200, 100), (0, Tail.KEEP - 12)):
        tail = Tail()
        tail.write(b"x" * before + b" s3cr3t-token-value " + b"y" * after)
        line = tail.last_line(lambda text: text.replace("s3cr3t-token-value", "***"))
        assert "s3cr" not in line
        assert "value" not in line


def test_the_tail_is_bounded_and_the_last_line_short() -> None:
    tail = Tail()
    for _ in range(100):
        tail.write(b"x" * 5000)
    assert tail.last_line() == "…" + "x" * 399  # its beginning was not kept
    tail.write(b"\nthe cause\x00\n \n")
    assert tail.last_line() == "the cause"


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1 KiB"), (1536, "1.5 KiB"), (1 << 20, "1 MiB")],
)
def test_sizes_read_well(count: int, words: str) -> None:
    assert size(count) == words
