"""A trial of 400 subjects that a champion and a challenger predict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from components.evaluator.settings import EvaluatorSettings
from pipeline.results.division import Division
from pipeline.results.evaluation_plan import EvaluationPlan
from pipeline.results.predictions import Predictions
from pipeline.study.sections import Threshold
from tests.verdict_texts import text_of

N, FOLDS = 400, 4
CHAMPION = {"present": 1, "split_seed": 3, "label_digest": "digest"}
PLAN = {"scheme": "cross_fit", "requested": "cross_fit", "folds": FOLDS, "repeats": 2}
Trial = Mapping[str, NDArray[Any]]


def make_settings() -> EvaluatorSettings:
    """Settings with a threshold against the champion, overall and in every slice."""
    return EvaluatorSettings(
        tasks={"response": (0.5,)},
        slicings=("sex",),
        pairs=(),
        smallest_group=20,
        thresholds=(
            Threshold(metric="auc", at_least=-0.5, versus="champion"),
            Threshold(metric="brier", at_most=0.5, versus="champion", scope="every_slice"),
        ),
        split_seed=3,
        label_digest="digest",
    )


def make_trial() -> Trial:
    """Subjects, whose every tenth has no known outcome, predicted by both models."""
    generator = np.random.default_rng(11)
    logit = generator.normal(0, 1.3, N)
    known = np.arange(N) % 10 != 0
    draws = generator.random(N)
    return {
        "hash": np.array([b"%016x" % (number * 7919) for number in range(N)]),
        "known": known,
        "label": (draws < 1 / (1 + np.exp(-logit))).astype(float) * known,
        "own": (1 / (1 + np.exp(-logit + generator.normal(0, 0.6, N)))).astype(np.float32),
        "champion": (1 / (1 + np.exp(-logit + generator.normal(0, 1.5, N)))).astype(np.float32),
        "fold": np.stack([generator.permutation(N) % FOLDS for _ in range(2)], axis=1),
        "sex": np.where(np.arange(N) % 2 == 0, b"F", b"M"),
    }


def rows_of(trial: Trial) -> list[dict[str, Any]]:
    return [
        {
            "subject_hash": bytes(trial["hash"][i]),
            "slice_sex": bytes(trial["sex"][i]),
            "label_response": float(trial["label"][i]),
            "weight_response": float(trial["known"][i]),
            "p_response": float(trial["own"][i]),
            "q_response": float(trial["champion"][i]),
        }
        for i in range(N)
    ]


def auc_difference(trial: Trial, rows: NDArray[np.bool_]) -> float:
    label = trial["label"][rows]
    own, other = (sk.roc_auc_score(label, trial[name][rows]) for name in ("own", "champion"))
    return float(own - other)


def comparisons(evaluation: Any, metric: str = "auc") -> list[tuple[str, str, str]]:
    return [
        (found["outcome"], found["reason"], text_of(found))
        for found in evaluation.verdict["comparisons"]
        if found["model"] == "difference" and found["metric"] == metric and not found["slice"]
    ]


def predictions(
    trial: Trial,
    model: str,
    column: str,
    kept: NDArray[np.bool_] | None = None,
    fold: NDArray[Any] | None = None,
) -> Predictions:
    """Predictions in two repeats of which the second is lower by a tenth of a point."""
    rows = np.flatnonzero(np.ones(N, bool) if kept is None else kept)
    folds = (trial["fold"] if fold is None else fold)[rows]
    score = np.stack([trial[column][rows], trial[column][rows] - np.float32(0.001)])
    return Predictions(
        np.tile(trial["hash"][rows].astype(object), 2),
        np.repeat([0, 1], len(rows)).astype(np.int16),
        folds.T.ravel().astype(np.int16),
        {model: {"response": score.ravel()}},
    )


def folds_of(rows: Predictions) -> Division:
    return Division(EvaluationPlan.model_validate(PLAN), rows)
