"""What the whole test suite shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def trial_data_dir() -> Path:
    """Folder of real trial data; a test that needs it is skipped where it is absent."""
    folder = Path(os.environ.get("TRIAL_DATA_DIR", _REPOSITORY / ".." / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("real trial data is absent; set TRIAL_DATA_DIR to its folder")
    return folder.resolve()
