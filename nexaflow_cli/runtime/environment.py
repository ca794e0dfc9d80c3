"""The environment that child processes begin with: little, and nothing of the daemon's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nexaflow_cli.store.runs import RunRow

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


class ChildEnvironment(Mapping[str, str]):
    """The base with what tells a child whose it is; made only if a child is started."""

    __slots__ = ("_attempt", "_base", "_made", "_run", "_step")

    def __init__(self, base: Mapping[str, str], run: RunRow, step: str, attempt: int) -> None:
        self._base, self._run, self._step, self._attempt = base, run, step, attempt
        self._made: dict[str, str] | None = None

    def _all(self) -> dict[str, str]:
        if self._made is None:
            self._made = {
                **self._base,
                "NEXAFLOW_RUN_ID": self._run.id,
                "NEXAFLOW_WORKFLOW": self._run.workflow,
                "NEXAFLOW_STEP": self._step,
                "NEXAFLOW_ATTEMPT": str(self._attempt),
            }
        return self._made

    def __getitem__(self, name: str) -> str:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())
