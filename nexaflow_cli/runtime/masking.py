"""Secret values out of everything that is shown or stored."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"

SHORTEST = 4
"""Characters from which a value is masked wherever it occurs; a shorter one only as a word."""


_DISTINCT = 8
"""Characters from which a value in small letters is no word that comes up by chance."""

_LINES = (57, 48)
"""Bytes that a line of base64 holds, of 76 characters as `base64` makes it and of 64 as PEM."""


class Masker:
    """Replaces secret values by `***`: as they are, in base64, URL-encoded and escaped.

    A secret of several lines is also masked line by line, where a line has 4 characters or more.
    A secret of fewer than 4 is masked where it stands alone, for inside of words it would make
    everything unreadable and protect nothing. Without secrets every method costs nothing.

    Args:
        secrets: the values; more may come with `add`.
    """

    __slots__ = ("_forms", "_pattern", "_words", "longest")

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._words: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.longest = 0
        """Characters of the longest text that is looked for."""
        self.add(*secrets)

    def __bool__(self) -> bool:
        return self.longest > 0

    def add(self, *secrets: str) -> None:
        """Mask these values too, from now on."""
        before = len(self._forms) + len(self._words)
        for secret in secrets:
            if 0 < len(secret.strip()) < SHORTEST:
                self._words.add(secret.strip())
            elif secret.strip():
                self._forms.update(_forms(secret))
        if len(self._forms) + len(self._words) > before:
            self._pattern = None  # made when first needed: secrets are often added one by one
            self.longest = max(map(len, self._forms | self._words))

    def _compiled(self) -> re.Pattern[str]:
        if self._pattern is None:
            self._pattern = _compile(self._forms, self._words)
        return self._pattern

    def mask(self, text: str) -> str:
        """The text with every secret in it replaced."""
        if not self.longest:
            return text
        pattern = self._pattern or self._compiled()
        first = pattern.search(text)
        if first is None:
            return text
        pieces: list[str] = []
        position = 0
        for start, end in _spans(pattern, text, first):
            pieces += (text[position:start], MASK)
            position = end
        pieces.append(text[position:])
        return "".join(pieces)

    def mask_json(self, value: Any) -> Any:
        """JSON-like data with every secret in it masked; the same object if there was none.

        A number is masked if it is a secret as it stands; part of one is taken for chance.
        """
        return self._deep(value) if self.longest else value

    def _deep(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            masked = {self._deep(name): self._deep(item) for name, item in value.items()}
            same = _same(value, masked) and _same(value.values(), masked.values())
            return value if same else masked
        if isinstance(value, list | tuple):
            items = [self._deep(item) for item in value]
            return value if _same(value, items) else items
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return MASK if str(value) in self._forms else value
        return value

    def split(self, text: str) -> tuple[str, str]:
        """Cut a stream: what can be shown now, masked, and the end that a secret may go on from."""
        if not self.longest:
            return text, ""
        pattern = self._compiled()
        cut = max(0, len(text) - self.longest + 1)
        first = pattern.search(text)
        for start, end in _spans(pattern, text, first) if first else ():
            if start < cut < end:
                # The whole secret goes one way; all of it being secret, it is the first.
                cut = start or end
        return self.mask(text[:cut]), text[cut:]


def _same(one: Iterable[Any], other: Iterable[Any]) -> bool:
    return all(a is b for a, b in zip_longest(one, other))


def _spans(
    pattern: re.Pattern[str], text: str, first: re.Match[str] | None
) -> Iterator[tuple[int, int]]:
    """Where the secrets are, left to right; those that overlap or touch are one."""
    if first is None:
        return
    start, end = first.span()
    found = pattern.search(text, start + 1)
    while found:
        if found.start() > end:
            yield start, end
            start, end = found.span()
        else:
            end = max(end, found.end())
        found = pattern.search(text, found.start() + 1)
    yield start, end


_ESCAPES: tuple[Callable[[str], str], ...] = (
    lambda s: quote(s, safe="", errors="surrogatepass"),
    lambda s: quote(s, errors="surrogatepass"),
    lambda s: quote_plus(s, errors="surrogatepass"),
    lambda s: json.dumps(s)[1:-1],
    lambda s: json.dumps(s, ensure_ascii=False)[1:-1],
    lambda s: shlex.quote(s).removeprefix("'").removesuffix("'"),
    html.escape,
    lambda s: repr(s)[1:-1],
)


def _forms(secret: str) -> Iterator[str]:
    """Every text that gives the secret away."""
    values = {secret, secret.strip()}
    if len(lines := secret.splitlines()) > 1:
        values.update(line.strip() for line in lines)
    for value in values:
        if len(value.strip()) < SHORTEST:
            continue
        yield value
        if len(value) >= _DISTINCT:
            yield value.lower()  # as the names of hosts are shown
        for escape in _ESCAPES:
            form = escape(value)
            yield form
            if "%" in form:
                yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), form)
        data = value.encode("utf-8", "surrogatepass")
        yield from _base64(data)
        for width in _LINES:
            for start in range(0, len(data), width) if len(data) > width else ():
                yield from _base64(data[start : start + width])


def _base64(data: bytes) -> Iterator[str]:
    """Base64 of the bytes wherever they begin in a longer text, such as `user:password`.

    Three bytes make four characters, so there are three ways to lie; the characters at the ends
    that depend on the neighbours are left out.
    """
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + data).decode()
        start = (0, 2, 3)[before]
        whole = (before + len(data)) // 3 * 4
        bits_left = (before + len(data)) % 3
        core = encoded[start : whole + (0, 1, 2)[bits_left]]
        if len(core) >= SHORTEST:
            yield core
            yield core.replace("+", "-").replace("/", "_")


def _compile(forms: set[str], words: set[str]) -> re.Pattern[str]:
    """One pattern for all: a tree, so that its cost does not grow with the number of secrets."""
    choices = []
    if forms:
        choices.append(_tree(sorted(forms)))
    if words:
        choices.append(rf"(?<!\w)(?:{_tree(sorted(words))})(?!\w)")
    return re.compile("|".join(choices))


def _tree(forms: list[str]) -> str:
    """A pattern for the longest of these sorted, distinct texts at a position."""
    first, last = forms[0], forms[-1]
    shared = 0
    while shared < len(first) and shared < len(last) and first[shared] == last[shared]:
        shared += 1
    head = re.escape(first[:shared])
    rest = [form[shared:] for form in forms]
    if optional := rest[0] == "":
        rest = rest[1:]
    if not rest:
        return head
    groups: dict[str, list[str]] = {}
    for form in rest:
        groups.setdefault(form[0], []).append(form)
    tails = "|".join(_tree(group) for group in groups.values())
    return f"{head}(?:{tails}){'?' if optional else ''}"
