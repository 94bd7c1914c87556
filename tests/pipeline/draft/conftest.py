"""A folder with the file of a small trial."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.draft.hand_made_files import patients, write_csv


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder; its only file is `patients.csv`."""
    write_csv(tmp_path / "data" / "patients.csv", patients())
    return tmp_path / "data"
