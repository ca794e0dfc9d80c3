"""Glob patterns over virtual paths, matched in time that hostile paths cannot blow up.

Each pattern becomes one regular expression whose stars sit in atomic groups: a glob's
leftmost match of a literal chunk is always as good as any other, so nothing is tried twice.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from itertools import pairwise

MAX_LENGTH = 1024
MAX_ALTERNATIVES = 256
MAX_STARS = 64


class Pattern:
    """A compiled pattern; get one from `compile_pattern`.

    Args:
        text: the pattern as written.
        prefix: the literal folder that every matching path begins with; it ends in `/`.
    """

    __slots__ = ("_match", "_source", "prefix", "text")

    def __init__(self, text: str, prefix: str, source: str) -> None:
        self.text = text
        self.prefix = prefix
        self._source = source
        self._match: Callable[[str], re.Match[str] | None] | None = None

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"

    def match(self, path: str) -> bool:
        """Whether the whole virtual path (with its leading `/`) matches."""
        if self._match is None:
            # Compiling takes a millisecond, and one who only checks a file never matches.
            self._match = re.compile(self._source, re.DOTALL).match
        return self._match(path) is not None


@functools.lru_cache(maxsize=4096)
def compile_pattern(pattern: str) -> Pattern:
    """Compile a glob.

    `*` stays inside one folder, `**` crosses folders, `{a,b}` are alternatives, `?` is one
    character, `[a-z]` and `[!a-z]` are sets, and `\\` makes the next character plain. Without a
    leading `/` the pattern matches at any depth.

    Raises:
        ValueError: the pattern is empty, too long, or malformed.
    """
    if not pattern:
        raise ValueError("the pattern is empty")
    if len(pattern) > MAX_LENGTH:
        raise ValueError(f"the pattern is longer than {MAX_LENGTH} characters")
    if any(ord(char) < 32 or ord(char) == 127 for char in pattern):
        raise ValueError("the pattern holds a control character")
    if pattern.startswith("!"):
        raise ValueError("a pattern cannot be negated; write \\! for a name that starts with !")
    rooted = pattern if pattern.startswith("/") else "/**/" + pattern
    pieces = _pieces(rooted)
    if pieces.count("*") > MAX_STARS:
        raise ValueError(f"the pattern has more than {MAX_STARS} stars")
    alternatives = _expand(pieces)
    regex = "|".join(_regex(alternative) for alternative in alternatives)
    return Pattern(pattern, _prefix(pieces), f"(?:{regex})\\Z")


def _pieces(pattern: str) -> list[str]:
    """Cut into single characters, `[sets]` as regex text, and `\\x` escapes kept as two."""
    pieces: list[str] = []
    position = 0
    while position < len(pattern):
        char = pattern[position]
        if char == "\\":
            if position + 1 == len(pattern):
                raise ValueError("the pattern ends in a lone backslash")
            pieces.append(pattern[position : position + 2])
            position += 2
        elif char == "[":
            end = _set_end(pattern, position)
            pieces.append(_set_regex(pattern[position + 1 : end]))
            position = end + 1
        else:
            pieces.append(char)
            position += 1
    return pieces


def _set_end(pattern: str, start: int) -> int:
    first = start + 1
    if pattern[first : first + 1] in ("!", "^"):
        first += 1
    end = pattern.find("]", first + 1)  # a `]` right at the beginning is a member
    if end < 0:
        raise ValueError("`[` is not closed; write \\[ for the character")
    return end


def _set_regex(body: str) -> str:
    negated = body[0] in "!^"
    members = body[1:] if negated else body
    if "/" in members:
        raise ValueError("a set cannot hold `/`, which separates folders")
    parts, position = [], 0
    while position < len(members):
        low = members[position]
        if members[position + 1 : position + 2] == "-" and position + 2 < len(members):
            high = members[position + 2]
            if high < low:
                raise ValueError(f"the range {low}-{high} in `[{body}]` is backwards")
            parts.append(f"{re.escape(low)}-{re.escape(high)}")
            position += 3
        else:
            parts.append(re.escape(low))
            position += 1
    inner = "".join(parts)
    return f"[^/{inner}]" if negated else f"(?!/)[{inner}]"


def _expand(pieces: list[str]) -> list[list[str]]:
    """All alternatives of `{a,b}`, nested ones too, without recursion."""
    done: list[list[str]] = []
    pending = [pieces]
    while pending:
        current = pending.pop()
        if "{" not in current:
            if "}" in current:
                raise ValueError("`}` without `{`; write \\} for the character")
            done.append(current)
        else:
            # The innermost group: the last `{` and the first `}` after it.
            start = len(current) - 1 - current[::-1].index("{")
            try:
                end = current.index("}", start)
            except ValueError:
                raise ValueError("`{` is not closed; write \\{ for the character") from None
            head, tail = current[:start], current[end + 1 :]
            choice: list[str] = []
            for piece in [*current[start + 1 : end], ","]:
                if piece == ",":
                    pending.append(head + choice + tail)
                    choice = []
                else:
                    choice.append(piece)
        if len(done) + len(pending) > MAX_ALTERNATIVES:
            raise ValueError(f"the pattern has more than {MAX_ALTERNATIVES} alternatives")
    return done


def _regex(pieces: list[str]) -> str:
    segments = _segments(pieces)
    out = ["/"]
    anchored = True  # whether what follows starts exactly where the last part ended
    group: list[str] = []
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if segment == ["*", "*"]:
            out.append(_folders(group, anchored))
            group, anchored = [], False
            if last:
                out.append("[^/].*")
        elif last:
            group.append(_segment(segment))
            skip = "" if anchored else "(?:[^/]+/)*?"
            out.append(skip + "".join(group) + "\\Z")
        else:
            group.append(_segment(segment) + "/")
    return "".join(out)


def _folders(group: list[str], anchored: bool) -> str:
    if not group:
        return ""
    return "(?>" + ("" if anchored else "(?:[^/]+/)*?") + "".join(group) + ")"


def _segments(pieces: list[str]) -> list[list[str]]:
    segments: list[list[str]] = [[]]
    for piece in pieces[1:]:
        if piece == "/":
            segments.append([])
        else:
            segments[-1].append(piece)
    for segment in segments:
        text = "".join(segment)
        if not segment:
            raise ValueError(
                "the pattern ends in `/`; add ** to match everything below that folder"
                if not segments[-1]
                else "the pattern has an empty folder name (`//`)"
            )
        if text in (".", ".."):
            raise ValueError(f"`{text}` never matches: paths hold no such parts")
        if text != "**" and _has_double_star(segment):
            raise ValueError("`**` must stand alone between slashes, as in **/*.txt")
    return segments


def _has_double_star(segment: list[str]) -> bool:
    return any(a == b == "*" for a, b in pairwise(segment))


def _segment(pieces: list[str]) -> str:
    """One folder or file name; each star but the last takes the first place that fits."""
    chunks: list[list[str]] = [[]]
    for piece in pieces:
        if piece == "*":
            chunks.append([])
        elif piece == "?":
            chunks[-1].append("[^/]")
        elif len(piece) > 1:
            chunks[-1].append(re.escape(piece[1]) if piece[0] == "\\" else piece)
        else:
            chunks[-1].append(re.escape(piece))
    texts = ["".join(chunk) for chunk in chunks]
    if len(texts) == 1:
        return texts[0]
    middle = "".join(f"(?>[^/]*?{text})" for text in texts[1:-1] if text)
    # A star alone is a name, and a name has at least one character.
    star = "[^/]+" if not any(texts) else "[^/]*"
    return f"(?>{texts[0]}{middle}{star}{texts[-1]}(?=/|\\Z))"


def _prefix(pieces: list[str]) -> str:
    literal: list[str] = []
    for piece in pieces:
        if piece in ("*", "?", "{") or (len(piece) > 1 and piece[0] != "\\"):
            break
        literal.append(piece[-1])
    text = "".join(literal)
    return text[: text.rindex("/") + 1]
