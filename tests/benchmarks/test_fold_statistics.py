"""Statistics of features by training subjects, beside those of all subjects."""

import numpy as np
import pytest

from benchmarks.fold_statistics import FOLDS, compare, rows_of
from benchmarks.label_free_statistics import Statistics, Trial

NUMBERS = np.array([[1.0], [3.0], [np.nan], [5.0]])
TEXTS = np.array([["a"], ["a"], [""], ["b"]])


def test_numbers_are_scaled_by_the_described_subjects() -> None:
    statistics = Statistics.of(NUMBERS[:2], TEXTS[:2])

    numbers, _ = statistics.apply(NUMBERS, TEXTS)

    # Mean 2, deviation 1; then whether a value is missing.
    assert numbers.tolist() == [[-1, 0], [1, 0], [0, 1], [3, 0]]


def test_a_category_that_the_described_subjects_lack_is_a_rare_one() -> None:
    many = np.repeat(TEXTS[:1], 50, axis=0)
    statistics = Statistics.of(np.zeros((50, 0)), many)

    _, codes = statistics.apply(np.zeros((4, 0)), TEXTS)

    # One frequent category, then the rare ones of the column, then its missing values.
    assert codes.ravel().tolist() == [0, 0, 2, 1]


def test_columns_that_vary_alike_in_every_fold_change_nothing() -> None:
    rng = np.random.default_rng(1)
    outcome = np.tile([0.0, 1.0], 100).astype(np.float32)[:, None]
    trial = Trial(
        rng.normal(size=(200, 1)) + outcome.astype(np.float64),
        np.zeros((200, 0), str),
        outcome,
        np.ones((200, 1), np.float32),
        ("death",),
    )

    (row,) = rows_of("hand", trial, compare(trial, seeds=3))

    assert FOLDS == 5
    assert row.subjects == 200
    assert row.auc == pytest.approx(0.75, abs=0.08)
    assert row.lower <= row.change <= row.upper
    assert abs(row.change) < 0.002
