"""The words of one step: cut into lines, masked, made harmless and bounded in size."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

from nexaflow_cli.runtime.masking import Masker

PIECE = 16 * 1024
"""Characters after which a long line goes on in the next entry."""

TAIL = 64 * 1024
"""Bytes of each stream's end that are kept when a step says more than it may."""

_TAIL_LINES = 1000

Emit = Callable[[str, str, list[str], bool], int]
"""Called with stream, level, lines and `always`; returns for how many of them there was room."""

_COLOURS = re.compile(r"(\x1b\[[0-9;:]{0,32}m)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_PICTURES = {
    **{code: 0x2400 + code for code in range(0x20) if code not in (0x09, 0x0A)},  # ␀ ␇ ␛
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
}


def plain(text: str) -> str:
    """The text without the colour codes that a log line may hold."""
    return _COLOURS.sub("", text) if "\x1b" in text else text


def harmless(text: str) -> str:
    """The text with control characters shown instead of obeyed.

    Tabs and newlines stay, and colours: whoever draws the line decides about those.
    """
    if not _CONTROL.search(text):
        return text
    if "\x1b" not in text:
        return text.translate(_PICTURES)
    pieces = _COLOURS.split(text)
    pieces[::2] = [piece.translate(_PICTURES) for piece in pieces[::2]]
    return "".join(pieces)


class _Stream:
    """One stream between the pieces it comes in: half a character, half a line."""

    __slots__ = ("decoder", "partial")

    def __init__(self) -> None:
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.partial = ""

    def take_rest(self) -> bytes:
        """What has not been shown, as it came."""
        rest = self.partial.encode("utf-8", "replace") + self.decoder.getstate()[0]
        self.partial = ""
        self.decoder.reset()
        return rest


class _Ring:
    """The last bytes of a stream, and how many there were."""

    __slots__ = ("data", "total")

    def __init__(self) -> None:
        self.data = bytearray()
        self.total = 0

    def write(self, data: bytes) -> None:
        self.total += len(data)
        self.data += data[-TAIL:]
        if len(self.data) > 4 * TAIL:
            del self.data[:-TAIL]

    def lines(self, masker: Masker) -> tuple[list[str], int]:
        """The whole lines of the end, masked, and how many bytes came before them."""
        data = bytes(self.data[-TAIL:])
        torn = len(data) < self.total
        if torn and (line_end := data.find(b"\n")) >= 0:
            data = data[line_end + 1 :]
            torn = False
        raw = data.removesuffix(b"\n").split(b"\n")[-_TAIL_LINES:] if data else []
        text = b"\n".join(raw).decode("utf-8", "replace")
        if torn:  # somewhere in one endless line, maybe in the middle of a secret
            text = text[masker.longest :]
        left_out = self.total - sum(map(len, raw)) - len(raw)
        return masker.mask(text).split("\n") if raw else [], max(0, left_out)


class StepLog:
    """What an attempt of a step says; the `Log` that its action is given.

    Made by `RunLog.step`. It is among `unsaid` while there may be something left to say.
    """

    __slots__ = ("_emit", "_masker", "_rings", "_room", "_streams", "_unsaid")

    def __init__(self, emit: Emit, masker: Masker, unsaid: set[StepLog]) -> None:
        self._emit = emit
        self._masker = masker
        self._unsaid = unsaid
        self._streams: dict[str, _Stream] = {}
        self._rings: dict[str, _Ring] = {}
        self._room = True

    def write(self, stream: str, data: bytes) -> None:
        """Take bytes of `stdout` or `stderr` as they come; lines may be cut anywhere."""
        if not self._room:
            self._late(stream, data)
            return
        state = self._streams.get(stream)
        if state is None:
            state = self._streams[stream] = _Stream()
            self._unsaid.add(self)
        *lines, state.partial = (state.partial + state.decoder.decode(data)).split("\n")
        if lines:
            self._say(stream, "info", lines)
        if self._room and len(state.partial) > PIECE:
            shown, state.partial = self._masker.split(state.partial)
            self._emit_or_keep(stream, "info", _pieces([harmless(shown)]))

    def line(self, text: str, *, level: str = "info") -> None:
        """Take one line said by the action itself; several, if there are newlines in it."""
        text = text.encode("utf-8", "replace").decode()  # half a surrogate pair has no UTF-8
        if self._room:
            self._say("log", level, text.split("\n"))
        else:
            self._late("log", f"{text}\n".encode())

    def mask(self, text: str) -> str:
        """The text with every known secret value replaced."""
        return self._masker.mask(text)

    def close(self) -> None:
        """Say what has not been said yet: lines without an end, and the tail of too much."""
        self._unsaid.discard(self)
        for stream, state in self._streams.items():
            rest = state.partial + state.decoder.decode(b"", final=True)
            state.partial = ""
            if rest and self._room:
                self._say(stream, "info", [rest])
        if self._rings:
            self._say_tails()
            self._rings.clear()

    def _say(self, stream: str, level: str, lines: list[str]) -> None:
        """Emit whole lines. They are looked at all at once: that is what makes it fast."""
        text = self._masker.mask("\n".join(lines))
        if "\r" in text:
            # A newline of DOS is one; a progress bar has each of its states as a line.
            states = (line.removesuffix("\r").split("\r") for line in text.split("\n"))
            text = "\n".join("\n".join(filter(None, line)) for line in states)
        self._emit_or_keep(stream, level, _pieces(harmless(text).split("\n")))

    def _emit_or_keep(self, stream: str, level: str, lines: list[str]) -> None:
        accepted = self._emit(stream, level, lines, False)
        if accepted < len(lines):
            self._room = False
            self._late(stream, "".join(f"{line}\n" for line in lines[accepted:]).encode())
            # From now on only the end counts; what is half said goes there too.
            for name, state in self._streams.items():
                if rest := state.take_rest():
                    self._late(name, rest)

    def _late(self, stream: str, data: bytes) -> None:
        ring = self._rings.get(stream)
        if ring is None:
            ring = self._rings[stream] = _Ring()
            self._unsaid.add(self)
        ring.write(data)

    def _say_tails(self) -> None:
        tails = {stream: ring.lines(self._masker) for stream, ring in self._rings.items()}
        left_out = sum(count for _, count in tails.values())
        told = (
            f"… {left_out:,} bytes left out: the step said more than its log may hold; "
            "its last lines follow"
        )
        self._emit("log", "warning", [told], True)
        for stream, (lines, _) in tails.items():
            shown = [harmless(line.removesuffix("\r")) for line in lines]
            self._emit(stream, "info", _pieces(shown), True)


def _pieces(lines: list[str]) -> list[str]:
    """The lines, the long ones in pieces."""
    if max(map(len, lines), default=0) <= PIECE:
        return lines
    return [
        line[start : start + PIECE]
        for line in lines
        for start in range(0, max(len(line), 1), PIECE)
    ]
