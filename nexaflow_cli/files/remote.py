"""Directories on file systems whose changes the kernel does not hear of."""

from __future__ import annotations

import re
from pathlib import Path

_REMOTE = {
    *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "9p", "afs", "ceph", "lustre", "glusterfs"),
    *("gpfs", "beegfs", "ocfs2", "gfs2", "virtiofs", "vboxsf", "vmhgfs", "prl_fs", "drvfs", "fuse"),
}
_MOUNTINFO = Path("/proc/self/mountinfo")
_ESCAPE = re.compile(r"\\([0-7]{3})")


def remote_kind(directory: str, mountinfo: str | None = None) -> str:
    """The type of the network file system that a real directory is on, or holds; or nothing.

    Args:
        directory: a path without symlinks.
        mountinfo: what the system knows of its mounts, in proc(5)'s format; by default read now.
    """
    if mountinfo is None:
        try:
            mountinfo = _MOUNTINFO.read_text(errors="surrogateescape")
        except OSError:
            return ""
    holding, kind_of_holding, below = "", "", ""
    for line in mountinfo.splitlines():
        before, found, after = line.partition(" - ")
        fields = before.split(" ")
        if not found or len(fields) < 5:
            continue
        point = _ESCAPE.sub(lambda match: chr(int(match[1], 8)), fields[4])
        kind = after.split(" ", 1)[0]
        is_remote = kind in _REMOTE or kind.startswith("fuse.")
        if _holds(point, directory):
            # A later mount on the same point hides the earlier one.
            if len(point) >= len(holding):
                holding, kind_of_holding = point, kind if is_remote else ""
        elif is_remote and _holds(directory, point):
            below = kind
    return kind_of_holding or below


def _holds(outer: str, inner: str) -> bool:
    return outer == "/" or inner == outer or inner.startswith(outer + "/")
