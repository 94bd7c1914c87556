"""A root with all that a backup keeps."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.backup.manifest import Places
from tests.pipeline.backup.hand_made import elsewhere, made_root


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """A root with all that is kept."""
    return made_root(tmp_path_factory.mktemp("example") / "runs")


@pytest.fixture
def places(example: Places, tmp_path: Path) -> Places:
    """A copy of it, which a test may change."""
    shutil.copytree(example.root, tmp_path / "runs")
    return elsewhere(tmp_path / "runs")
