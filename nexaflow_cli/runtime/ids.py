"""Short ids that sort by time: runs and events."""

from __future__ import annotations

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 12
_PER_MS = 32**3


class IdMaker:
    """Makes ids of 12 characters, each greater than any before it.

    Nine characters are the time in ms, three count within it; an id that would not be greater
    than the last one (a clock set back, a busy ms) takes the next number instead. One process
    owns a data directory, so nobody else makes ids for it.
    """

    def __init__(self, last: str = "") -> None:
        self._last = _number(last) if last else 0

    def make(self, now: float) -> str:
        """The next id; `now` in seconds since the epoch."""
        self._last = max(self._last + 1, int(now * 1000) * _PER_MS)
        number, letters = self._last, [""] * _LENGTH
        for place in range(_LENGTH - 1, -1, -1):
            number, letter = divmod(number, 32)
            letters[place] = _ALPHABET[letter]
        return "".join(letters)


def _number(text: str) -> int:
    number = 0
    for letter in text:
        number = number * 32 + max(0, _ALPHABET.find(letter))
    return number
