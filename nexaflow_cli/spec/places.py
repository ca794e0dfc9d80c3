"""Where each part of a YAML document was written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Span = tuple[int, int]
"""Offsets in the file, in characters: of the first one, and just after the last."""

Path = tuple[str | int, ...]
"""Keys and indexes that lead to a value."""


@dataclass(slots=True)
class Places:
    """Where the members of one mapping or sequence are."""

    keys: dict[str | int, Span] = field(default_factory=dict)
    values: dict[str | int, Span] = field(default_factory=dict)


@dataclass(slots=True)
class SourceDocument:
    """One document of a stream.

    Args:
        data: mappings, lists and scalars.
        span: where its root value is.
        text_span: where its own text begins and ends, comments and `---` included.
        complete: False if reading had to stop inside it.
    """

    data: Any
    span: Span
    text_span: Span
    complete: bool
    places: dict[int, Places]

    def value_span(self, path: Path) -> Span:
        """Where the value at `path` is, or the nearest thing around it."""
        return self._find(path, of_key=False)

    def key_span(self, path: Path) -> Span:
        """Where the key (or element) at the end of `path` is, or the nearest thing around it."""
        return self._find(path, of_key=True)

    def _find(self, path: Path, of_key: bool) -> Span:
        value, span = self.data, self.span
        for index, part in enumerate(path):
            # Only what is alive and a collection has an id that means something here.
            places = self.places.get(id(value)) if isinstance(value, dict | list) else None
            if places is None or part not in places.values:
                break
            span = places.values[part]
            if of_key and index == len(path) - 1:
                span = places.keys.get(part, span)
            value = value[part]
        return span
