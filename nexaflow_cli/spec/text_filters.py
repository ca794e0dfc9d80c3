"""Filters on one value: text, numbers, paths, encodings, dates."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from nexaflow_cli.spec import methods
from nexaflow_cli.spec.bounds import Budget, dump, to_data, to_text, type_name
from nexaflow_cli.spec.cron import parse_timezone
from nexaflow_cli.spec.template import ExpressionError

_INT = re.compile(r"[+-]?[0-9]+", re.ASCII)
_FLOAT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_DATE_CODES = "YmdHMSfjyBbAaIpzuVGFT%"
_DATE_CODE = re.compile(f"%([{_DATE_CODES}])|%")
_MISSING: Any = object()


def _text(value: Any, filter_name: str) -> str:
    if not isinstance(value, str):
        raise ExpressionError(f"`{filter_name}` needs text, not {type_name(value)}")
    return value


def to_int(budget: Budget, value: Any, default: Any = _MISSING) -> Any:
    """A whole number from text or number; the fraction of a number is dropped."""
    if isinstance(value, float) and math.isfinite(value):
        return int(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str) and len(value) < 1000:
        stripped = value.strip()
        if len(stripped) <= 40 and _INT.fullmatch(stripped):
            return int(stripped)
    if default is not _MISSING:
        return default
    shown = repr(value[:40]) if isinstance(value, str) else type_name(value)
    raise ExpressionError(f"{shown} is not a whole number")


def to_float(budget: Budget, value: Any, default: Any = _MISSING) -> Any:
    """A number from text or number."""
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str) and len(value) < 1000 and _FLOAT.fullmatch(value.strip()):
        return float(value)
    if default is not _MISSING:
        return default
    shown = repr(value[:40]) if isinstance(value, str) else type_name(value)
    raise ExpressionError(f"{shown} is not a number")


def absolute(budget: Budget, value: Any) -> Any:
    """The number without its sign."""
    if not isinstance(value, int | float):
        raise ExpressionError(f"`abs` needs a number, not {type_name(value)}")
    return abs(value)


def rounded(budget: Budget, value: Any, precision: int = 0, method: str = "common") -> Any:
    """The number rounded to so many digits; method `common`, `ceil` or `floor`."""
    if not isinstance(value, int | float):
        raise ExpressionError(f"`round` needs a number, not {type_name(value)}")
    if not isinstance(precision, int) or not -15 <= precision <= 15:
        raise ExpressionError("`round` takes from -15 to 15 digits")
    if method == "common":
        return round(float(value), precision)
    if method not in ("ceil", "floor"):
        raise ExpressionError("`round` knows the methods common, ceil and floor")
    scale = 10.0**precision
    return float((math.ceil if method == "ceil" else math.floor)(value * scale) / scale)


def trim(budget: Budget, value: Any, chars: str | None = None) -> str:
    """The text without spaces (or those characters) at its ends."""
    text = _text(value, "trim")
    return str(methods.TEXT["strip"](budget, text, chars) if chars else text.strip())


def lower(budget: Budget, value: Any) -> str:
    """In small letters."""
    return str(methods.TEXT["lower"](budget, _text(value, "lower")))


def upper(budget: Budget, value: Any) -> str:
    """In capital letters."""
    return str(methods.TEXT["upper"](budget, _text(value, "upper")))


def title(budget: Budget, value: Any) -> str:
    """Each Word Capitalized."""
    return str(methods.TEXT["title"](budget, _text(value, "title")))


def capitalize(budget: Budget, value: Any) -> str:
    """First letter capital, others small."""
    return str(methods.TEXT["capitalize"](budget, _text(value, "capitalize")))


def replace(budget: Budget, value: Any, old: str, new: str, count: int | None = None) -> str:
    """The text with `old` replaced by `new`."""
    text = _text(value, "replace")
    return methods.replace(budget, text, old, new, -1 if count is None else count)


def truncate(budget: Budget, value: Any, length: int = 255, end: str = "…") -> str:
    """At most so many characters, `end` in place of what was cut."""
    text = _text(value, "truncate")
    if not isinstance(length, int) or length < len(end):
        raise ExpressionError("`truncate` needs a length that its end fits into")
    return text if len(text) <= length else text[: length - len(end)] + end


def wordcount(budget: Budget, value: Any) -> int:
    """How many words the text has."""
    text = _text(value, "wordcount")
    budget.spend(len(text))
    return len(text.split())


def string(budget: Budget, value: Any) -> str:
    """Text as it is, anything else as JSON."""
    return to_text(value, budget)


def to_json(budget: Budget, value: Any, indent: int | None = None) -> str:
    """The value as JSON text."""
    if indent is not None and not (isinstance(indent, int) and 0 <= indent <= 8):
        raise ExpressionError("`json` takes an indent from 0 to 8")
    data = to_data(value, budget)
    text = json.dumps(data, ensure_ascii=False, indent=indent) if indent else dump(data)
    budget.spend(len(text))
    return text


def from_json(budget: Budget, value: Any) -> Any:
    """The value that the JSON text stands for."""
    text = _text(value, "from_json")
    budget.spend(len(text))
    try:
        data = json.loads(text)
        # Escaped surrogates are legal in JSON text and in nothing that we write.
        text.encode() if "\\u" not in text else json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ExpressionError("the JSON holds half a character (a lone surrogate)") from None
    except (ValueError, RecursionError) as error:
        raise ExpressionError(f"the text is not JSON: {error}") from None
    return to_data(data, budget)


def b64encode(budget: Budget, value: Any) -> str:
    """Base64 of the text in UTF-8."""
    text = _text(value, "b64encode")
    budget.spend(2 * len(text))
    return base64.b64encode(text.encode()).decode()


def b64decode(budget: Budget, value: Any) -> str:
    """The UTF-8 text that the Base64 stands for."""
    text = _text(value, "b64decode")
    budget.spend(len(text))
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        raise ExpressionError("the text is not Base64 of UTF-8 text") from None


def sha256(budget: Budget, value: Any) -> str:
    """SHA-256 of the text in UTF-8, as hexadecimal."""
    text = _text(value, "sha256")
    budget.spend(len(text))
    return hashlib.sha256(text.encode()).hexdigest()


def urlencode(budget: Budget, value: Any) -> str:
    """The text, or an object's fields, escaped for a URL."""
    from urllib.parse import quote, urlencode

    if isinstance(value, Mapping):
        pairs = [(key, to_text(item, budget)) for key, item in value.items()]
        encoded = urlencode(pairs)
    else:
        text = to_text(value, budget)
        budget.spend(len(text))
        encoded = quote(text, safe="/")
    budget.spend(len(encoded))
    return encoded


def basename(budget: Budget, value: Any) -> str:
    """The last part of a path: `/a/b.txt` gives `b.txt`."""
    return _text(value, "basename").rstrip("/").rpartition("/")[2]


def dirname(budget: Budget, value: Any) -> str:
    """The folder of a path: `/a/b.txt` gives `/a`."""
    text = _text(value, "dirname").rstrip("/")
    folder, slash, _ = text.rpartition("/")
    return folder or slash


def stem(budget: Budget, value: Any) -> str:
    """The name without its last suffix: `/a/b.tar.gz` gives `b.tar`."""
    name = basename(budget, value)
    return name[: len(name) - len(suffix(budget, name))] if name else name


def suffix(budget: Budget, value: Any) -> str:
    """The last suffix with its dot: `/a/b.txt` gives `.txt`."""
    name = basename(budget, value)
    dot = name.rfind(".")
    return name[dot:] if 0 < dot < len(name) - 1 else ""


def date(budget: Budget, value: Any, format: str = "%Y-%m-%d", timezone: str = "UTC") -> str:
    """A time (ISO 8601 text, or seconds since 1970) written as `format` says, in a timezone."""
    try:
        zone = parse_timezone(timezone)
        if isinstance(value, str):
            moment = datetime.fromisoformat(value[:64])
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value, UTC)
        else:
            raise ExpressionError(f"`date` needs a time, not {type_name(value)}")
        local = moment.astimezone(zone)
    except (ValueError, OverflowError, OSError, TypeError) as error:
        if isinstance(error, ExpressionError):
            raise
        raise ExpressionError(f"`date` cannot read the time: {error}") from None
    # The C library pads `%999999Y` as wide as it is told to.
    if not isinstance(format, str) or len(format) > 256:
        raise ExpressionError("`date` needs a format of at most 256 characters")
    if any(match[1] is None for match in _DATE_CODE.finditer(format)):
        raise ExpressionError(f"`date` knows % followed by one of {_DATE_CODES}")
    return local.strftime(format)


FILTERS: dict[str, Callable[..., Any]] = {
    "abs": absolute,
    "b64decode": b64decode,
    "b64encode": b64encode,
    "basename": basename,
    "capitalize": capitalize,
    "date": date,
    "dirname": dirname,
    "float": to_float,
    "from_json": from_json,
    "int": to_int,
    "json": to_json,
    "lower": lower,
    "replace": replace,
    "round": rounded,
    "sha256": sha256,
    "stem": stem,
    "string": string,
    "suffix": suffix,
    "title": title,
    "tojson": to_json,
    "trim": trim,
    "truncate": truncate,
    "upper": upper,
    "urlencode": urlencode,
    "wordcount": wordcount,
}
