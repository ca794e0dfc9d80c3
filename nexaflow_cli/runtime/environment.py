"""The environment that child processes begin with: little, and nothing of the daemon's own."""

from __future__ import annotations

from collections.abc import Mapping

_INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR", "SSL_CERT_FILE")
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def base_environment(environ: Mapping[str, str], owner: str, files_root: str) -> dict[str, str]:
    """What every child gets beneath its step's own `env`.

    Args:
        environ: the daemon's environment; only a few well-known names are passed on, so that
            keys and secrets in it are not.
        owner: the token by which leftover children of this daemon are recognised.
        files_root: the real directory behind `/` of the file space.
    """
    base = {name: environ[name] for name in _INHERITED if name in environ}
    base.update((name, value) for name, value in environ.items() if name.startswith("LC_"))
    base.setdefault("PATH", _DEFAULT_PATH)
    base["NEXAFLOW_OWNER"] = owner
    base["NEXAFLOW_FILES"] = files_root
    return base
