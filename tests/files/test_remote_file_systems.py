"""File systems whose changes the kernel does not hear of are known by their type."""

import pytest

from nexaflow_cli.files.remote import remote_kind

MOUNTINFO = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:40 / /mnt/share rw,relatime shared:9 - nfs4 server:/export rw,vers=4.2
31 22 0:41 / /mnt/with\040space rw shared:10 - cifs //server/share rw
32 22 0:42 / /home/me/ssh rw shared:11 - fuse.sshfs me@host: rw
33 30 8:2 / /mnt/share/local rw shared:12 - xfs /dev/vdb rw
34 22 0:43 / /over rw shared:13 - nfs server:/old rw
35 34 8:3 / /over rw shared:14 - ext4 /dev/vdc rw
a line that is cut off
"""


@pytest.mark.parametrize(
    ("directory", "kind"),
    [
        ("/srv/files", ""),
        ("/mnt/share", "nfs4"),
        ("/mnt/share/deep/folder", "nfs4"),
        ("/mnt/shared", ""),
        ("/mnt/with space/x", "cifs"),
        ("/home/me/ssh", "fuse.sshfs"),
        ("/home/me", "fuse.sshfs"),
        ("/mnt/share/local/x", ""),
        ("/over/x", ""),
    ],
)
def test_a_directory_on_or_around_a_network_file_system(directory: str, kind: str) -> None:
    assert remote_kind(directory, MOUNTINFO) == kind


def test_the_systems_own_answer_is_read() -> None:
    assert remote_kind("/proc/self") == ""
