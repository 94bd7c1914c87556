"""The artifact of out-of-fold predictions: what is written is what is read, in one order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.results.predictions import (
    PREDICTIONS_FILE,
    Predictions,
    read_predictions,
    write_predictions,
)


def predictions() -> Predictions:
    """Two subjects in two repeats; the forest predicts in the first repeat only."""
    return Predictions(
        subjects=np.array([b"bb", b"aa", b"aa", b"bb"], object),
        repeat=np.array([0, 1, 0, 1], np.int16),
        fold=np.array([1, 0, 0, 2], np.int16),
        of={
            "challenger": {"death": np.array([0.1, 0.2, 0.3, 0.4], np.float32)},
            "random_forest": {"death": np.array([0.5, np.nan, 0.7, np.nan], np.float32)},
        },
    )


def test_rows_are_read_in_the_order_of_repeat_and_pseudonym(tmp_path: Path) -> None:
    write_predictions(str(tmp_path), predictions())

    found = read_predictions(str(tmp_path))

    assert found.subjects.tolist() == [b"aa", b"bb", b"aa", b"bb"]
    assert found.repeat.tolist() == [0, 0, 1, 1]
    assert found.fold.tolist() == [0, 1, 0, 2]
    expected = np.array([0.3, 0.1, 0.2, 0.4], np.float32)
    assert found.of["challenger"]["death"].tolist() == expected.tolist()


def test_a_repeat_without_a_prediction_is_not_a_number(tmp_path: Path) -> None:
    write_predictions(str(tmp_path), predictions())

    found = read_predictions(str(tmp_path)).of["random_forest"]["death"]

    assert np.isnan(found).tolist() == [False, False, True, True]


def test_the_file_does_not_depend_on_the_order_of_the_rows(tmp_path: Path) -> None:
    write_predictions(str(tmp_path / "one"), predictions())
    write_predictions(str(tmp_path / "other"), predictions().sorted())

    one, other = ((tmp_path / name / PREDICTIONS_FILE).read_bytes() for name in ("one", "other"))
    assert one == other


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"predictions\.parquet: no such file"):
        read_predictions(str(tmp_path))
