"""The words of one step: cut into lines, masked, made harmless and bounded in size."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator

from nexaflow_cli.runtime.masking import Masker

PIECE = 16 * 1024
"""Characters after which a long line goes on in the next entry."""

TAIL = 64 * 1024
"""Bytes of each stream's end that are kept when a step says more than it may."""

_TAIL_LINES = 1000

Emit = Callable[[str, str, str, bool], bool]
"""Called with stream, level, text and `always`; False if there is no room for it any more."""

_COLOUR = r"\x1b\[[0-9;:]{0,32}m"
_CONTROL = re.compile(_COLOUR + r"|[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_COLOURS = re.compile(_COLOUR)


def plain(text: str) -> str:
    """The text without the colour codes that a log line may hold."""
    return _COLOURS.sub("", text) if "\x1b" in text else text


def _visible(found: re.Match[str]) -> str:
    seen = found[0]
    if len(seen) > 1:  # a colour; whoever draws the line decides about it
        return seen
    code = ord(seen)
    if code < 0x20:
        return chr(0x2400 + code)  # the pictures of control characters: ␀ ␇ ␛
    return "␡" if code == 0x7F else "\ufffd"


def harmless(text: str) -> str:
    """The text with control characters, but for tab and colours, shown instead of obeyed."""
    return _CONTROL.sub(_visible, text) if _CONTROL.search(text) else text


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
        for index, line in enumerate(lines):
            if not self._say(stream, "info", line):
                rest = "\n".join((*lines[index + 1 :], "")).encode("utf-8", "replace")
                self._late(stream, rest)
                self._overflow()
                return
        if len(state.partial) > PIECE:
            shown, state.partial = self._masker.split(state.partial)
            if not self._pieces(stream, "info", shown):
                self._overflow()

    def line(self, text: str, *, level: str = "info") -> None:
        """Take one line said by the action itself; several, if there are newlines in it."""
        text = text.encode("utf-8", "replace").decode()  # half a surrogate pair has no UTF-8
        for line in text.split("\n"):
            if not self._room:
                self._late("log", f"{line}\n".encode())
            elif not self._say("log", level, line):
                self._overflow()

    def mask(self, text: str) -> str:
        """The text with every known secret value replaced."""
        return self._masker.mask(text)

    def close(self) -> None:
        """Say what has not been said yet: lines without an end, and the tail of too much."""
        self._unsaid.discard(self)
        for stream, state in self._streams.items():
            rest = state.partial + state.decoder.decode(b"", final=True)
            state.partial = ""
            if rest and self._room and not self._say(stream, "info", rest):
                self._overflow()
        if self._rings:
            self._say_tails()
            self._rings.clear()

    def _say(self, stream: str, level: str, line: str) -> bool:
        """Emit a whole line; without room for all of it, the rest becomes late and it is False."""
        line = self._masker.mask(line.removesuffix("\r"))
        if "\r" not in line:
            return self._pieces(stream, level, line)
        for state in line.split("\r"):  # a progress bar: each of its states is a line
            if state:
                self._pieces(stream, level, state)
        return self._room

    def _pieces(self, stream: str, level: str, line: str) -> bool:
        for piece in _cut(harmless(line)):
            # Once a piece did not fit no smaller one may: the order would be lost.
            self._room = self._room and self._emit(stream, level, piece, False)
            if not self._room:
                self._late(stream, f"{piece}\n".encode())
        return self._room

    def _late(self, stream: str, data: bytes) -> None:
        ring = self._rings.get(stream)
        if ring is None:
            ring = self._rings[stream] = _Ring()
            self._unsaid.add(self)
        ring.write(data)

    def _overflow(self) -> None:
        """From now on only the end counts; what is half said goes there."""
        for stream, state in self._streams.items():
            if rest := state.take_rest():
                self._late(stream, rest)

    def _say_tails(self) -> None:
        tails = {stream: ring.lines(self._masker) for stream, ring in self._rings.items()}
        left_out = sum(count for _, count in tails.values())
        self._emit(
            "log",
            "warning",
            f"… {left_out:,} bytes left out: the step said more than its log may hold; "
            "its last lines follow",
            True,
        )
        for stream, (lines, _) in tails.items():
            for line in lines:
                for piece in _cut(harmless(line.removesuffix("\r"))):
                    self._emit(stream, "info", piece, True)


def _cut(text: str) -> Iterator[str]:
    if len(text) <= PIECE:
        yield text
        return
    for start in range(0, len(text), PIECE):
        yield text[start : start + PIECE]
