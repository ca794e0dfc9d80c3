"""Secrets are found however they are written, and nothing else is touched."""

from __future__ import annotations

import base64
import html
import json
import shlex
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexaflow_cli.runtime.masking import Masker

SECRET = "p&ss wörd/7+'\"x"
PEM = "-----BEGIN KEY-----\n  MIIEvQIBADAN\nab\n-----END KEY-----\n"


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        quote(SECRET, safe="").lower().replace("ö", "Ö"),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        html.escape(SECRET),
        shlex.quote(SECRET),
        repr(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_every_way_to_write_a_secret(form: str) -> None:
    shown = Masker([SECRET]).mask(f"before {form} after")
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert "***" in shown
    assert len(shown) <= len("before '***==' after")


@pytest.mark.parametrize("user", ["", "m", "me", "you", "them"])
def test_base64_of_a_longer_text_hides_it_too(user: str) -> None:
    secret = "s3cr3t-t0ken-value"
    encoded = base64.b64encode(f"{user}:{secret}:rest".encode()).decode()
    shown = Masker([secret]).mask(encoded)
    # At most the two characters that it shares with its neighbours can be left on each side.
    assert "***" in shown
    assert len(shown) <= len(encoded) - 4 * (len(secret) // 3) + 3 + 4


@pytest.mark.parametrize(
    ("secrets", "text", "shown"),
    [
        ([], "anything", "anything"),
        (["", "  \n"], "anything at all", "anything at all"),
        (["abcd"], "abcd xabcdx", "*** x***x"),
        (["abcd", "abcdef"], "abcdefg abcd", "***g ***"),
        (["abcdef", "defghi"], "xabcdefghix", "x***x"),
        (["aaaa"], "aaaaaaaaa", "***"),
        (["  abcd\n"], "abcd", "***"),
        (["123"], "123 in 1234 and -123.", "*** in 1234 and -***."),
        (["a.c*"], "a.c* abcc", "*** abcc"),
        (["***secret***"], "***secret***", "***"),
    ],
)
def test_where_it_masks_and_where_it_does_not(secrets: list[str], text: str, shown: str) -> None:
    assert Masker(secrets).mask(text) == shown


def test_lines_of_a_secret_are_secret() -> None:
    masker = Masker([PEM])
    assert masker.mask(PEM) == "***"
    assert [masker.mask(line) for line in PEM.splitlines()] == ["***", "  ***", "ab", "***"]
    assert masker.mask(PEM.replace("\n", "\\n")) == "***"


def test_secrets_can_come_later() -> None:
    masker = Masker()
    assert not masker
    assert masker.mask("late-secret") == "late-secret"
    masker.add("late-secret", "other-secret")
    assert masker
    assert masker.mask("late-secret other-secret") == "*** ***"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a tok1234 b", "a *** b"),
        (["tok1234", 1, None], ["***", 1, None]),
        ({"tok1234": {"a": ("tok1234",)}}, {"***": {"a": ["***"]}}),
        (987654, "***"),
        (1987654, 1987654),
        (True, True),
    ],
)
def test_json_is_masked_all_the_way_down(value: Any, shown: Any) -> None:
    assert Masker(["tok1234", "987654"]).mask_json(value) == shown


def test_json_without_a_secret_is_the_same_object() -> None:
    value = {"a": [1, "x", {"b": None}]}
    assert Masker(["tok1234"]).mask_json(value) is value
    assert Masker().mask_json(value) is value


SECRETS = st.lists(st.text("abcß", min_size=4, max_size=9), max_size=4)
TEXTS = st.text("abcß \n", max_size=120)


@given(SECRETS, TEXTS)
def test_nothing_of_a_secret_is_left(secrets: list[str], text: str) -> None:
    shown = Masker(secrets).mask(text)
    assert not any(secret in shown for secret in secrets)


@given(SECRETS, TEXTS)
def test_masking_twice_changes_nothing_more(secrets: list[str], text: str) -> None:
    masker = Masker(secrets)
    assert masker.mask(masker.mask(text)) == masker.mask(text)


@given(SECRETS, TEXTS, st.data())
def test_a_stream_shows_no_secret_however_it_is_cut(
    secrets: list[str], text: str, data: st.DataObject
) -> None:
    masker = Masker(secrets)
    rest, held, shown = text, "", ""
    while rest:
        cut = data.draw(st.integers(1, len(rest)))
        certain, held = masker.split(held + rest[:cut])
        shown, rest = shown + certain, rest[cut:]
    shown += masker.mask(held)
    assert not any(secret in shown for secret in secrets)
    if not any(secret in text for secret in secrets):
        assert shown == masker.mask(text)


def test_a_thousand_forms_stay_fast_enough() -> None:
    """The pattern is a tree: it takes a text with hundreds of secrets in one go."""
    secrets = [f"{n:x}-token-{n * 7919:x}" for n in range(300)]
    masker = Masker(secrets)
    text = "an ordinary line of a log, nothing to see here\n" * 2000
    assert masker.mask(text) == text
    assert masker.mask(" ".join(secrets)) == " ".join(["***"] * 300)


@pytest.mark.parametrize("width", [64, 76])
@pytest.mark.parametrize("secret", ["0123456789abcdefXYZ" * 5, "k3y-ö" * 40])
def test_base64_in_lines_hides_a_long_secret(secret: str, width: int) -> None:
    encoded = base64.b64encode(f"{secret}\n".encode()).decode()
    lines = [encoded[start : start + width] for start in range(0, len(encoded), width)]
    shown = Masker([secret]).mask("\n".join(lines))
    assert not any(line[:12] in shown for line in lines[:-1])
    assert len(shown) < len(lines) * 12


def test_the_name_of_a_host_hides_it_though_it_is_in_small_letters() -> None:
    assert Masker(["Zq7-S3cr3T"]).mask("http://zq7-s3cr3t.example/") == "http://***.example/"
