"""A place to call actions from."""

from __future__ import annotations

from pathlib import Path

import pytest
from actions_bench import Bench, Directory


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    root, scratch = tmp_path / "files", tmp_path / "scratch"
    root.mkdir()
    scratch.mkdir()
    return Bench(Directory(root), scratch)
