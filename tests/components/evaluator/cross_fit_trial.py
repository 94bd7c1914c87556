"""A trial made by hand with out-of-fold predictions of three repeats."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.results.predictions import Predictions
from pipeline.results.uncertainty import LOWER, SET_NEGATIVE, SET_POSITIVE, UPPER

FOLDS, REPEATS, SUBJECTS = 4, 3, 400


def make_trial() -> Any:
    """Subjects with folds, and predictions that are higher in some folds than in others."""
    generator = np.random.default_rng(5)
    logit = generator.normal(-0.5, 1.2, SUBJECTS)
    label = (generator.random(SUBJECTS) < 1 / (1 + np.exp(-logit))).astype(float)
    known = np.arange(SUBJECTS) % 9 != 0
    fold = np.stack([generator.permutation(SUBJECTS) % FOLDS for _ in range(REPEATS)], 1)
    noise = generator.normal(0, 0.7, (SUBJECTS, REPEATS))
    score = 1 / (1 + np.exp(-(logit[:, None] + noise + 0.8 * fold)))
    ridge = 1 / (1 + np.exp(-(logit[:, None] + generator.normal(0, 1.5, (SUBJECTS, REPEATS)))))
    return {
        "hash": np.array([f"{number * 7919:016x}".encode() for number in range(SUBJECTS)]),
        "label": label * known,
        "known": known,
        "fold": fold,
        "score": score.astype(np.float32),
        "ridge": ridge.astype(np.float32),
        "sex": np.where(np.arange(SUBJECTS) % 2 == 0, b"F", b"M"),
    }


def rows_of(trial: Any) -> Any:
    return [
        {
            "subject_hash": bytes(trial["hash"][i]),
            "slice_sex": bytes(trial["sex"][i]),
            "label_response": float(trial["label"][i]),
            "weight_response": float(trial["known"][i]),
            "p_response": float(trial["score"][i, 0]),
        }
        for i in range(SUBJECTS)
    ]


def predictions(trial: Any, model: Any, repeats: Any) -> Any:
    column = "score" if model == "challenger" else model
    return Predictions(
        subjects=np.tile(trial["hash"].astype(object), repeats),
        repeat=np.repeat(np.arange(repeats), SUBJECTS).astype(np.int16),
        fold=trial["fold"][:, :repeats].T.ravel().astype(np.int16),
        of={model: {"response": trial[column][:, :repeats].T.ravel()}},
    )


def uncertainty(trial: Any) -> Predictions:
    """Intervals from .1 below to .2 above a prediction; sets with all levels above .2."""
    score = trial["score"]
    parts = {
        LOWER: score - 0.1,
        UPPER: score + 0.2,
        SET_NEGATIVE: score < 0.8,
        SET_POSITIVE: score > 0.2,
    }
    return Predictions.of_repeats(
        trial["hash"].astype(object),
        trial["fold"],
        {part: found.astype(np.float32)[:, :, None] for part, found in parts.items()},
        ["response"],
    )
