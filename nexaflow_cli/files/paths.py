"""What a path of the file space may look like; no disk is touched here."""

from __future__ import annotations

import re
import secrets

from nexaflow_cli.errors import InvalidError

MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 3072
"""Below Linux's 4,096 so that the real directory in front of it still fits."""

_TEMP = re.compile(r"\.nexaflow-[0-9a-f]{16}\.tmp")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_EXAMPLE = "write it from the root of the file space, such as /workspace/report.txt"


def normalise(path: str) -> str:
    """The one spelling of a virtual path: absolute, single slashes, no `.` and no trailing slash.

    Args:
        path: as a user wrote it; without a leading slash it is taken from the root.

    Raises:
        InvalidError: the path is empty, too long, climbs with `..`, or holds a name that the
            file space does not keep (control characters, undecodable bytes, reserved names).
    """
    if not path:
        raise InvalidError("the path is empty", hint=_EXAMPLE)
    names = [name for name in path.split("/") if name and name != "."]
    for name in names:
        if reason := why_not(name):
            raise InvalidError(f"the path {shown(path)} {reason}", hint=_EXAMPLE)
    clean = "/" + "/".join(names)
    if len(clean) > MAX_PATH_BYTES // 4 and len(clean.encode()) > MAX_PATH_BYTES:
        raise InvalidError(
            f"the path {shown(path)} is longer than {MAX_PATH_BYTES:,} bytes",
            hint="use fewer or shorter folder names",
        )
    return clean


def why_not(name: str) -> str:
    """Why a name cannot stand in a path of the file space; empty if it can."""
    if name == "..":
        return "climbs with '..', which the file space does not follow"
    if len(name) > MAX_NAME_BYTES // 4 and (
        len(name.encode(errors="surrogateescape")) > MAX_NAME_BYTES
    ):
        return f"holds a name longer than {MAX_NAME_BYTES} bytes"
    # isprintable() is the fast way to say yes; it says no to harmless characters too.
    if not name.isprintable() and (found := _CONTROL.search(name)):
        character = found.group()
        if character == "\0":
            return "holds a NUL character"
        if "\ud800" <= character <= "\udfff":
            return "holds bytes that are not UTF-8"
        return f"holds the control character {character!r}"
    if name.startswith(".nexaflow-") and is_temp(name):
        return f"holds the name {name!r}, which is reserved for files being written"
    return ""


def is_temp(name: str) -> bool:
    """Whether a file name is one under which content waits to be renamed into place."""
    return _TEMP.fullmatch(name) is not None


def temp_name() -> str:
    """A fresh name that every scan and watcher passes over."""
    return f".nexaflow-{secrets.token_hex(8)}.tmp"


def parent(path: str) -> str:
    """The folder of a normalised path; the root's is the root."""
    return path[: path.rindex("/")] or "/"


def join(folder: str, name: str) -> str:
    """The path of `name` within a normalised folder."""
    return f"/{name}" if folder == "/" else f"{folder}/{name}"


def is_below(path: str, folder: str) -> bool:
    """Whether a normalised path is the folder itself or lies somewhere in it."""
    return folder == "/" or path == folder or path.startswith(folder + "/")


def shown(path: str) -> str:
    """The path as an error message quotes it: one line, of bounded length."""
    text = path if len(path) <= 120 else f"{path[:100]}…{path[-15:]}"
    return ascii(text) if _CONTROL.search(text) else f"'{text}'"
