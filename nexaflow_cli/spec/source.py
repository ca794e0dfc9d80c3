"""Strict YAML: text to plain data that knows where each part was written.

Built from the C parser's events on an explicit stack, so depth costs no recursion, a duplicate
key is seen, and an alias is paid for each time it is used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from nexaflow_cli.spec.lines import LineTable
from nexaflow_cli.spec.places import Places, SourceDocument, Span
from nexaflow_cli.spec.scalars import ScalarError, has_leading_zero, resolve
from nexaflow_cli.spec.yaml_errors import SourceProblem, explain

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 200_000
MAX_PROBLEMS = 100

# Tab, LF, CR and the printable part of Unicode: what YAML allows in a stream.
_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_CORE = "tag:yaml.org,2002:"
_SCALAR_TAGS = {"int": int, "float": float, "bool": bool, "null": type(None)}


class _StopReading(Exception):
    """What follows cannot be understood, or is over a limit."""


def read(text: str) -> tuple[list[SourceDocument], list[SourceProblem]]:
    """Read a stream of documents; what is wrong comes back as values, all of it.

    Args:
        text: the whole file, at most 1 MiB.
    """
    reader = _Reader(text)
    if reader.is_readable():
        try:
            reader.run()
        except _StopReading:
            pass
    return reader.documents, reader.problems


@dataclass(slots=True)
class _Frame:
    """A collection being filled."""

    data: Any
    start: int
    anchor: str | None
    nodes_before: int
    places: Places = field(default_factory=Places)
    height: int = 1
    key: str | None = None
    key_span: Span = (0, 0)
    expects_key: bool = True


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: Any
    nodes: int
    height: int


class _Reader:
    def __init__(self, text: str) -> None:
        self.documents: list[SourceDocument] = []
        self.problems: list[SourceProblem] = []
        self._text = text
        self._lines = LineTable(text)
        self._stack: list[_Frame] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._places: dict[int, Places] = {}
        self._nodes = 0
        self._root: Any = None
        self._root_span: Span = (0, 0)
        self._begin = 0

    def report(
        self, code: str, message: str, span: Span, hint: str = "", severity: str = "error"
    ) -> None:
        self.problems.append(SourceProblem(code, message, span, hint, severity))
        if len(self.problems) >= MAX_PROBLEMS:
            raise _StopReading

    def is_readable(self) -> bool:
        """Whether the text may go to the parser at all."""
        text = self._text
        # A character is at most four bytes; a huge text is not encoded to measure it.
        if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
            self.report("too-large", f"the file is larger than {MAX_BYTES // 1024} KiB", (0, 0))
            return False
        if text.startswith("\ufeff"):
            hint = "save the file as UTF-8 without one"
            self.report("byte-order-mark", "the file begins with a byte order mark", (0, 1), hint)
            return False
        for count, match in enumerate(_FORBIDDEN.finditer(text)):
            name = f"U+{ord(match[0]):04X}"
            self.report("control-character", f"YAML cannot hold the character {name}", match.span())
            if count == 9:
                break
        return not self.problems

    def run(self) -> None:
        """Go through all events of the stream."""
        import yaml

        handlers = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._mapping,
            yaml.SequenceStartEvent: self._sequence,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document_start,
            yaml.DocumentEndEvent: self._document_end,
        }
        loader = yaml.CSafeLoader(self._text)
        try:
            next_event = loader.get_event
            while (event := next_event()) is not None:
                handler = handlers.get(type(event))
                if handler is not None:
                    handler(event)
        except yaml.YAMLError as error:
            self._unfinished()
            self.problems.append(explain(error, self._text))
        except _StopReading:
            self._unfinished()
        finally:
            loader.dispose()

    def _unfinished(self) -> None:
        """Keep what was read of a broken document, so that its name at least is known."""
        if self._stack:
            root = self._stack[0]
            self._places.update((id(frame.data), frame.places) for frame in self._stack)
            self._finish(root.data, (root.start, root.start + 1), len(self._text), complete=False)

    def _finish(self, data: Any, span: Span, end: int, complete: bool) -> None:
        text_span = (self._begin, end)
        self.documents.append(SourceDocument(data, span, text_span, complete, self._places))

    def _document_start(self, event: Any) -> None:
        self._stack, self._anchors, self._places = [], {}, {}
        self._root, self._root_span = None, (event.end_mark.index, event.end_mark.index)

    def _document_end(self, event: Any) -> None:
        self._finish(self._root, self._root_span, event.end_mark.index, complete=True)
        self._begin = event.end_mark.index

    def _count(self, nodes: int, span: Span) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            hint = "aliases count once for each use"
            self.report("too-large", f"the file has more than {MAX_NODES:,} values", span, hint)
            raise _StopReading

    def _mapping(self, event: Any) -> None:
        self._open(event, {}, "map")

    def _sequence(self, event: Any) -> None:
        self._open(event, [], "seq")

    def _open(self, event: Any, data: Any, kind: str) -> None:
        span = (event.start_mark.index, event.end_mark.index)
        self._count(1, span)
        if self._stack and self._stack[-1].expects_key and isinstance(self._stack[-1].data, dict):
            self.report("yaml-key", "a key must be text, not a list or a mapping", span)
            raise _StopReading
        if len(self._stack) >= MAX_DEPTH:
            self.report("too-deep", f"nested more than {MAX_DEPTH} levels deep", span)
            raise _StopReading
        if event.tag not in (None, "!", _CORE + kind):
            self._bad_tag(event.tag, span)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._stack.append(_Frame(data, span[0], event.anchor, self._nodes))

    def _close(self, event: Any) -> None:
        frame = self._stack.pop()
        data = frame.data
        self._places[id(data)] = frame.places
        if frame.anchor is not None:
            nodes = self._nodes - frame.nodes_before + 1
            self._anchors[frame.anchor] = _Anchored(data, nodes, frame.height)
        self._value(data, (frame.start, event.end_mark.index), frame.height)

    def _alias(self, event: Any) -> None:
        span = (event.start_mark.index, event.end_mark.index)
        name = event.anchor
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.expects_key and isinstance(frame.data, dict):
            self.report("yaml-key", "a key must be text, not an alias", span)
            self._key(None, span)
            return
        anchored = self._anchors.get(name)
        if anchored is None:
            inside = name in self._anchors
            message = f"`*{name}` is inside `&{name}` itself" if inside else f"no anchor `&{name}`"
            self.report("yaml-alias", message, span)
            self._value(None, span, 0)
            return
        self._count(anchored.nodes, span)
        if len(self._stack) + anchored.height > MAX_DEPTH:
            self.report("too-deep", f"nested more than {MAX_DEPTH} levels deep", span)
            raise _StopReading
        self._value(anchored.value, span, anchored.height)

    def _scalar(self, event: Any) -> None:
        span = (event.start_mark.index, event.end_mark.index)
        self._count(1, span)
        value = self._resolve(event, span)
        if self._stack:
            frame = self._stack[-1]
            if frame.expects_key and isinstance(frame.data, dict):
                self._key(self._checked_key(value, event, span), span)
                return
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, 1, 0)
        self._value(value, span, 0)

    def _resolve(self, event: Any, span: Span) -> Any:
        text, tag = event.value, event.tag
        if tag is None and not event.implicit[0]:
            return text
        if tag in ("!", _CORE + "str"):
            return text
        kind = tag.removeprefix(_CORE) if tag else ""
        if tag and (not tag.startswith(_CORE) or kind not in _SCALAR_TAGS):
            self._bad_tag(tag, span)
            return text
        try:
            value = resolve(text)
        except ScalarError as error:
            self.report("yaml-number", str(error), span)
            return text
        if kind and type(value) is not _SCALAR_TAGS[kind]:
            self.report("yaml-tag", f"`{text[:40]}` is not what its tag `!!{kind}` says", span)
        if type(value) is int and has_leading_zero(text):
            message = f"`{text}` is the decimal number {value}: a leading zero means nothing"
            hint = f'write "{text}" if it is text, 0o{text.lstrip("+-0") or 0} if it is octal'
            self.report("yaml-leading-zero", message, span, hint, "warning")
        return value

    def _bad_tag(self, tag: str, span: Span) -> None:
        shown = tag.replace(_CORE, "!!")
        self.report("yaml-tag", f"the tag `{shown[:60]}` is not supported", span)

    def _checked_key(self, value: Any, event: Any, span: Span) -> str | None:
        if not isinstance(value, str):
            hint = f'write "{event.value}" if this key is meant'
            self.report("yaml-key", f"a key must be text; `{event.value}` is not", span, hint)
            return None
        if value == "<<" and event.implicit[0]:
            self.report("yaml-key", "merge keys (`<<`) are not part of YAML 1.2", span)
            return None
        places = self._stack[-1].places
        if value in places.keys:
            line, column = self._lines.position(places.keys[value][0])
            message = f"the key `{value[:60]}` is here twice; first at line {line}, column {column}"
            self.report("duplicate-key", message, span)
            return None
        return value

    def _key(self, key: str | None, span: Span) -> None:
        frame = self._stack[-1]
        frame.key, frame.key_span, frame.expects_key = key, span, False

    def _value(self, value: Any, span: Span, height: int) -> None:
        if not self._stack:
            self._root, self._root_span = value, span
            return
        frame = self._stack[-1]
        if height >= frame.height:
            frame.height = height + 1
        if isinstance(frame.data, list):
            frame.places.values[len(frame.data)] = span
            frame.data.append(value)
            return
        if frame.key is not None:
            frame.data[frame.key] = value
            frame.places.keys[frame.key] = frame.key_span
            frame.places.values[frame.key] = span
        frame.expects_key = True
