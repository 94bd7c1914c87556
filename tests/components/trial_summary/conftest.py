"""The trial made by hand and its summary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.components.trial_summary.trial_made_by_hand import study_of, summarised, write_trial


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the trial's files."""
    return write_trial(tmp_path_factory.mktemp("trial"))


@pytest.fixture(scope="session")
def summary(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The trial's summary."""
    return summarised(study_of(), data, tmp_path_factory.mktemp("summary"))
