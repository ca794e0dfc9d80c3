"""One served daemon for each module; tests use names of their own in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from served import Served, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("daemon") / "data", body_bytes=1024 * 1024) as made:
        yield made
