"""A run to report, export and show, made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.notebooks.hand_made_groups import write_run


@pytest.fixture
def local_run(tmp_path: Path) -> Path:
    """Root with one local run."""
    root = tmp_path / "runs"
    write_run(root)
    return root
