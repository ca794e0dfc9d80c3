"""httpx without its own command line.

`import httpx` also imports `httpx._main`, a little command-line program, and with it click, rich
and pygments, where those are installed. That doubles the time to the first request. The package
is written to do without that module; a `None` in `sys.modules` is the documented way to say that
a module is not there, and it is taken back as soon as the import is done.
"""

from __future__ import annotations

import sys
from types import ModuleType

_EXTRA = "httpx._main"


def _load() -> None:
    if "httpx" in sys.modules or _EXTRA in sys.modules:
        return
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    modules[_EXTRA] = None
    try:
        import httpx  # noqa: F401 - imported for `httpx` below
    finally:
        if modules.get(_EXTRA, ...) is None:
            del modules[_EXTRA]


_load()

import httpx  # noqa: E402 - after the module above has been kept out

__all__ = ["httpx"]
