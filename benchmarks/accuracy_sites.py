"""International Stroke Trial: held-out hospitals, compared with the trial's own prediction.

The trial's data carry EXPDD, its own predicted probability of being dead or dependent at six
months. It is read for this comparison only, not for features or labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.accuracy_division import OURS, SCIKIT_LEARN, Division, Scores
from benchmarks.accuracy_statistics import Difference, auc, paired_difference
from components.trial_example_gen.subject_hashes import subject_hashes

SITE_STUDY = "ist"
TASK = "dead_or_dependent"
TRIALS_OWN = "EXPDD"
FOLDS = 5
_FILE = "IST.csv"
_SITE = "HOSPNUM"
_OUTCOME = "OCCODE"
_KNOWN_OUTCOMES = (1, 2, 3, 4)
_POSITIVE_OUTCOMES = (1, 2)
_LINEAR = SCIKIT_LEARN[0]


@dataclass(frozen=True)
class Fold:
    """One fold of hospitals, none of which any model was fitted on.

    Attributes:
        hospitals: Their number.
        subjects: With a known outcome and a prediction of the trial's own.
        events: Positive outcomes among them.
        auc: ROC AUC of every model on these subjects.
    """

    hospitals: int
    subjects: int
    events: int
    auc: dict[str, float]


@dataclass(frozen=True)
class SiteComparison:
    """All folds.

    Attributes:
        folds: The folds.
        auc: Mean ROC AUC over the folds of every model.
        differences: Per model, mean difference of its AUC to that of the trial's own.
    """

    folds: tuple[Fold, ...]
    auc: dict[str, float]
    differences: dict[str, Difference]


def site_divisions(data: Path, seed: int) -> list[Division]:
    """One division for each fold of hospitals.

    Args:
        data: Folder with IST.csv.
        seed: Puts the hospitals into folds.

    Returns:
        Divisions whose test splits together are all subjects, each once.
    """
    hospitals = np.unique(_column(data, _SITE).to_numpy(str))
    shuffled = np.random.default_rng(seed).permutation(hospitals)
    return [
        Division(
            study=SITE_STUDY,
            data=data,
            seed=seed,
            baselines=(_LINEAR,),
            holdout_sites=tuple(sorted(fold.tolist())),
        )
        for fold in np.array_split(shuffled, FOLDS)
    ]


def compare_with_trial(data: Path, scored: Sequence[Scores]) -> SiteComparison:
    """Compares the predictions for held out hospitals with the trial's own.

    Args:
        data: Folder with IST.csv.
        scored: Scores of `site_divisions`.

    Returns:
        The comparison.

    Raises:
        RuntimeError: Scores and file are not of the same subjects.
    """
    own = pd.to_numeric(_column(data, TRIALS_OWN), errors="coerce").to_numpy(np.float64)
    outcome = pd.to_numeric(_column(data, _OUTCOME), errors="coerce").to_numpy(np.float64)
    folds = tuple(_fold(scores, own, outcome) for scores in scored)
    ratio = fmean(s.split_sizes["test"] / s.split_sizes["train"] for s in scored)
    by_model = {name: [fold.auc[name] for fold in folds] for name in folds[0].auc}
    return SiteComparison(
        folds=folds,
        auc={name: fmean(values) for name, values in by_model.items()},
        differences={
            name: paired_difference(values, by_model[TRIALS_OWN], ratio)
            for name, values in by_model.items()
            if name != TRIALS_OWN
        },
    )


def _fold(scores: Scores, own: NDArray[np.bool_], outcome: NDArray[Any]) -> Fold:
    """Joins by the pseudonym of the row's number, which is the trial's subject key."""
    numbers = [str(row + 1) for row in range(len(own))]
    hashes = subject_hashes(SITE_STUDY, numbers, scores.subject_key)
    pseudonyms = {pseudonym: row for row, pseudonym in enumerate(hashes)}
    rows = np.array([pseudonyms[subject] for subject in scores.subjects.tolist()])
    column = scores.tasks.index(TASK)
    known, labels = scores.known[:, column], scores.labels[:, column]
    if not (
        np.array_equal(known, np.isin(outcome[rows], _KNOWN_OUTCOMES))
        and np.array_equal(labels[known] > 0, np.isin(outcome[rows], _POSITIVE_OUTCOMES)[known])
    ):
        raise RuntimeError(f"{_FILE}: labels by row number differ from those of the examples.")
    used = known & np.isfinite(own[rows])
    predictions = {name: found[:, column] for name, found in scores.probabilities.items()}
    predictions[TRIALS_OWN] = own[rows]
    return Fold(
        hospitals=len(scores.division.holdout_sites),
        subjects=int(used.sum()),
        events=int(labels[used].sum()),
        auc={name: auc(labels[used], found[used]) for name, found in predictions.items()},
    )


def ours_minus_trial(comparison: SiteComparison) -> Difference:
    """Mean difference of this project's AUC to that of the trial's own prediction."""
    return comparison.differences[OURS]


def _column(data: Path, name: str) -> pd.Series[Any]:
    return pd.read_csv(data / _FILE, usecols=[name], dtype=str, keep_default_na=False)[name]
