"""Out of fold the models are compared on the subjects of both runs, and apart on new ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.evaluator.champion_scores import score_subjects
from components.evaluator.settings import EvaluatorSettings
from pipeline.results.evaluation_plan import EvaluationPlan
from pipeline.results.predictions import Predictions, write_predictions
from tests.components.evaluator.compared_trial import (
    CHAMPION,
    FOLDS,
    PLAN,
    N,
    Trial,
    auc_difference,
    comparisons,
    folds_of,
    make_settings,
    make_trial,
    predictions,
    rows_of,
)
from tests.each import each
from tests.verdict_texts import note_texts


@pytest.fixture(scope="module")
def settings() -> EvaluatorSettings:
    return make_settings()


@pytest.fixture(scope="module")
def trial() -> Trial:
    return make_trial()


@pytest.fixture(scope="module")
def cross_fitted(
    run_evaluator: Any, settings: Any, trial: Any, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """Of the subjects 100 are new since the champion's run."""
    old = np.arange(N) >= 100
    lower = {**trial, "oof": trial["champion"] * np.float32(0.9)}
    return run_evaluator(
        tmp_path_factory.mktemp("cross_fitted"),
        settings,
        rows_of(trial),
        CHAMPION,
        plan=PLAN,
        predictions=predictions(trial, "challenger", "own"),
        division=folds_of(predictions(lower, "champion", "oof", old)),
    )


def test_out_of_fold_the_models_are_compared_on_the_subjects_of_both_runs(
    cross_fitted: Any, trial: Any
) -> None:
    shared = trial["known"] & (np.arange(N) >= 100)
    record = cross_fitted.record("response", "brier", "champion")
    score = trial["champion"] * np.float32(0.9)
    expected = np.mean(
        [((p - trial["label"]) ** 2)[shared].mean() for p in (score, score - np.float32(0.001))]
    )
    assert record["value"] == pytest.approx(expected, abs=1e-6)
    assert record["subjects"] == shared.sum() == 270
    difference = cross_fitted.record("response", "auc", "difference")
    assert difference["lower"] < difference["value"] < difference["upper"]
    assert difference["value"] == pytest.approx(auc_difference(trial, shared), abs=0.02)
    assert comparisons(cross_fitted)[0][:2] == ("passes", "within_limit")


def test_subjects_who_are_new_since_are_compared_apart(cross_fitted: Any, trial: Any) -> None:
    new = trial["known"] & (np.arange(N) < 100)
    told, apart = note_texts(cross_fitted.verdict)
    assert told == (
        "Compared with the champion on 300 subjects of both runs, each predicted by models that "
        "never saw the subject; 100 subjects are new since the champion's run, and are compared "
        "apart."
    )
    assert apart.startswith(
        "response: subjects who are new since the champion's run (90 with a known outcome, "
        "predicted by the champion's own model): difference of the AUC to the champion "
    )
    value = float(apart.split("champion ")[-1].split(" ")[0])
    assert value == pytest.approx(auc_difference(trial, new), abs=0.05)


def test_a_few_new_subjects_are_not_compared(
    run_evaluator: Any, settings: Any, trial: Any, tmp_path: Path
) -> None:
    old = np.arange(N) >= 12
    found = run_evaluator(
        tmp_path,
        settings,
        rows_of(trial),
        CHAMPION,
        plan=PLAN,
        predictions=predictions(trial, "challenger", "own"),
        division=folds_of(predictions(trial, "champion", "champion", old)),
    )
    assert "fewer than 20 subjects are new" in note_texts(found.verdict)[0]
    assert note_texts(found.verdict)[1].endswith("too few to compare the models on them.")


def test_no_pseudonym_is_left_in_the_evaluation(cross_fitted: Any, trial: Any) -> None:
    files = [path for path in (cross_fitted.folder / "evaluation").rglob("*") if path.is_file()]
    for file in each(files):
        content = file.read_bytes()
        assert not any(bytes(value) in content for value in each(trial["hash"].tolist())), file


def test_subjects_who_changed_their_fold_are_left_out(trial: Any, tmp_path: Path) -> None:
    moved = trial["fold"].copy()
    moved[:7, 1] = (moved[:7, 1] + 1) % FOLDS
    write_predictions(str(tmp_path / "own"), predictions(trial, "challenger", "own"))
    champion = folds_of(predictions(trial, "champion", "champion", fold=moved))
    found = score_subjects(
        "no model", "no examples", champion, champion.plan, str(tmp_path / "own"), ["response"]
    )
    assert (found.compared, found.new, found.left_out) == (N - 7, 0, 7)


def test_repeats_that_the_champion_lacks_are_not_compared(trial: Any, tmp_path: Path) -> None:
    write_predictions(str(tmp_path / "own"), predictions(trial, "challenger", "own"))
    both = predictions(trial, "champion", "champion")
    one = Predictions(
        both.subjects[:N], both.repeat[:N], both.fold[:N], {"champion": {"response": trial["own"]}}
    )
    plan = EvaluationPlan.model_validate(PLAN)
    found = score_subjects(
        "no model", "no examples", folds_of(one), plan, str(tmp_path / "own"), ["response"]
    )
    scores = found.predictions.of["champion"]["response"]
    repeat = found.predictions.repeat
    assert not np.isnan(scores[repeat == 0]).any()
    assert np.isnan(scores[repeat == 1]).all()
