"""Coverage and calibration slope of the model on simulated trials."""

import numpy as np
import pytest

from benchmarks.coverage import CrossFitted
from benchmarks.coverage_model import summarize
from components.evaluator.fold_scores import ModelScores
from pipeline.synthetic.trial import TASKS


def test_slopes_and_coverage_are_means_over_the_trials() -> None:
    rng = np.random.default_rng(3)
    fitted = []
    for _ in range(3):
        logit = rng.normal(size=4000)
        outcome = rng.random(4000) < 1 / (1 + np.exp(-logit))
        fold = (np.arange(4000) % 5)[:, None].astype(np.int16)
        # Twice as extreme as they should be.
        score = (1 / (1 + np.exp(-2 * logit)))[:, None].astype(np.float32)
        scores = tuple(ModelScores(outcome, fold, score) for _ in TASKS)
        fitted.append(CrossFitted(scores, ((({"auc": 0.73, "brier": 0.9}),),) * len(TASKS)))

    rows, slopes = summarize(4000, fitted, seed=1)

    assert [slope.mean for slope in slopes] == pytest.approx([0.5] * len(TASKS), abs=0.03)
    coverage = {(row.task, row.metric): row.coverage for row in rows}
    assert {coverage[task, "auc"] for task in TASKS} == {1.0}
    assert {coverage[task, "brier"] for task in TASKS} == {0.0}
