"""What the system says when a file cannot be had, in the words of the file space."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from nexaflow_cli.errors import (
    ConflictError,
    InvalidError,
    NexaflowError,
    NexaflowFileNotFoundError,
    NotAllowedError,
    UnavailableError,
)
from nexaflow_cli.files.paths import parent, shown


def not_found(path: str) -> NexaflowFileNotFoundError:
    """The error for a file that is not there."""
    return NexaflowFileNotFoundError(
        f"no file at {shown(path)}", hint=f"nexaflow ls '{parent(path).rstrip('/')}/*'"
    )


def is_folder(path: str) -> InvalidError:
    """The error for a folder where a file is needed."""
    return InvalidError(
        f"{shown(path)} is a folder, not a file", hint=f"nexaflow ls '{path.rstrip('/')}/**'"
    )


@contextmanager
def explained(path: str, doing: str, *, is_write: bool = True) -> Iterator[None]:
    """Turn an OSError of the block into an error that names the path and what to do.

    Args:
        path: the normalised virtual path that is worked on.
        doing: what failed, as in "cannot {doing} '/a.txt'".
        is_write: whether the path need not exist before.
    """
    try:
        yield
    except OSError as error:
        raise _explain(error, path, doing, is_write) from error


def _explain(error: OSError, path: str, doing: str, is_write: bool) -> NexaflowError:
    what = f"cannot {doing} {shown(path)}"
    match error.errno:
        case errno.ENOENT:
            return not_found(path)
        case errno.ENOTDIR if not is_write:
            return not_found(path)
        case errno.EISDIR:
            return is_folder(path)
        case errno.ENOTDIR | errno.EEXIST | errno.ENOTEMPTY:
            return ConflictError(
                f"{what}: a part of the path is a file, or a folder has its name",
                hint="choose another path, or move what is in the way",
            )
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return NotAllowedError(
                f"{what}: the daemon's user may not ({_reason(error)})",
                hint="give that user access to the directory behind the path",
            )
        case errno.ELOOP:
            return NotAllowedError(f"{what}: a symlink is in the way", hint="replace the symlink")
        case errno.ENAMETOOLONG:
            return InvalidError(f"{what}: the name is too long", hint="use a shorter one")
        case errno.ENOSPC | errno.EDQUOT:
            return UnavailableError(f"{what}: the disk is full", hint="free some space, then retry")
    return UnavailableError(
        f"{what}: {_reason(error)}", hint="nexaflow doctor shows what is wrong with the disk"
    )


def _reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)
