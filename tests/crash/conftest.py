"""One forge of daemons for each module of crash tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lives import Forge


@pytest.fixture(scope="module")
def forge() -> Iterator[Forge]:
    made = Forge()
    yield made
    made.close()
