"""The benchmark of scoring fails where two runners predict differently."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.scoring import largest_difference
from pipeline.errors import UserError
from pipeline.results.scored_file import ScoredRows, content_of_part

_ROWS = 5


def write(folder: Path, shift: float = 0.0, refused: int = 0, order: int = 1) -> Path:
    """Predictions of five subjects, of whom one is refused.

    Args:
        folder: Folder to make.
        shift: Added to each prediction.
        refused: Who is refused.
        order: 1, or -1 for subjects in another order.
    """
    who = np.arange(_ROWS)[::order]
    has_flag = who == refused
    rows = ScoredRows(
        subjects=np.array([f"subject {number}" for number in who], object),
        outputs={"death": (who / _ROWS + shift).astype(np.float32)},
        flags={("out_of_range", "AGE"): has_flag},
        refused=has_flag,
        model="a model",
    )
    folder.mkdir()
    (folder / "part-00000-00000.parquet").write_bytes(content_of_part(rows))
    return folder


def test_the_order_of_subjects_is_no_difference(tmp_path: Path) -> None:
    assert largest_difference(write(tmp_path / "one"), write(tmp_path / "other", order=-1)) == 0


def test_a_small_difference_is_measured(tmp_path: Path) -> None:
    found = largest_difference(write(tmp_path / "one"), write(tmp_path / "other", shift=5e-7))
    assert 1e-7 < found < 1e-6


def test_a_larger_one_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="differ by up to"):
        largest_difference(write(tmp_path / "one"), write(tmp_path / "other", shift=1e-5))


def test_so_are_other_flags(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="subjects, outputs or flags"):
        largest_difference(write(tmp_path / "one"), write(tmp_path / "other", refused=1))
