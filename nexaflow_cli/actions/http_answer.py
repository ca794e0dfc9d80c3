"""Answers to HTTP requests: which are good, how much is read, what value they make."""

from __future__ import annotations

import base64
import codecs
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from nexaflow_cli.actions.base import ActionError
from nexaflow_cli.actions.json_data import load_json
from nexaflow_cli.actions.params import invalid
from nexaflow_cli.actions.sizes import size

if TYPE_CHECKING:
    import httpx


_NO_CHARSETS = frozenset(("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"))
"""Codecs of Python that are none; the first two take minutes for a megabyte made to that end."""


def expected(rules: Any) -> Callable[[int], bool]:
    """A test of a status code from codes (200), classes (2xx) and ranges (200-299).

    Raises:
        ActionError: a rule is none of these.
    """
    ranges = [_range(rule) for rule in (rules if isinstance(rules, list) else [rules])]
    return lambda status: any(low <= status <= high for low, high in ranges)


def _range(rule: Any) -> tuple[int, int]:
    words = str(rule).strip().lower()
    if words.endswith("xx") and words[:-2] in {"1", "2", "3", "4", "5"}:
        low = int(words[:-2]) * 100
        return low, low + 99
    low_text, dash, high_text = words.partition("-")
    try:
        low = int(low_text)
        high = int(high_text) if dash else low
    except ValueError:
        raise invalid(f"`expect`: {rule!r} is no status: use 200, 2xx or 200-299") from None
    if not 100 <= low <= high <= 599:
        raise invalid(f"`expect`: {rule!r} is outside 100 to 599, or the wrong way round")
    return low, high


async def read_body(response: httpx.Response, limit: int, *, cut: bool = False) -> bytes:
    """The body, unpacked, of at most `limit` bytes; a longer one fails, or is cut.

    Raises:
        ActionError: it is longer.
    """
    pieces: list[bytes] = []
    total = 0
    async for piece in response.aiter_bytes():
        total += len(piece)
        pieces.append(piece)
        if total > limit:
            if cut:
                return b"".join(pieces)[:limit]
            raise ActionError(
                f"the answer of {response.url.host} is more than {size(limit)}; "
                "`save_to` takes more, into a file",
                type="too-large",
                http_status=response.status_code,
                retryable=False,
            )
    return b"".join(pieces)


def as_value(response: httpx.Response, body: bytes) -> tuple[str, Any]:
    """How the body is given, `json`, `text` or `base64`, and the value."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and (kind == "application/json" or kind.endswith("+json")):
        try:
            return "json", load_json(body)
        except ValueError:
            pass  # what it is not it is not made; the text can still be looked at
    try:
        words = body.decode(_charset(response.charset_encoding or "utf-8"))
    except (UnicodeError, LookupError):
        words = "\0"
    if "\0" in words:
        return "base64", base64.b64encode(body).decode()
    return "text", words


def _charset(name: str) -> str:
    """The codec of a charset.

    Raises:
        LookupError: there is none, or it is one that no answer is written in.
    """
    found = codecs.lookup(name).name
    if found in _NO_CHARSETS:
        raise LookupError(f"{name} is no charset")
    return found


def retry_after(response: httpx.Response, now: datetime) -> float | None:
    """Seconds that the other side asks to wait, if it says so."""
    value = response.headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return max(0.0, moment.timestamp() - now.timestamp())
