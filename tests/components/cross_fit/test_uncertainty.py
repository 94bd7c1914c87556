"""Intervals and sets of the final model, and of the subjects that are evaluated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.results.evaluation_plan import SPLIT_PLAN
from pipeline.results.final_fit import FINAL_FIT_FILE
from pipeline.results.predictions import PREDICTIONS_FILE, read_predictions
from pipeline.results.uncertainty import (
    LOWER,
    PARTS,
    UNCERTAINTY_FILE,
    UNCERTAINTY_FOLDER,
    Uncertainty,
    output_name,
)
from tests.components.cross_fit.stage import (
    REPEATS,
    Stage,
)
from tests.each import each
from tests.trainer.trainer_study import INPUTS
from trainer.resaved import save_with_outputs
from trainer.served_model import KeywordModel
from trainer.subjects import read_subjects, slices_of
from trainer.uncertainty import model as of_model
from trainer.uncertainty import task as of_task
from trainer.uncertainty.served import ServedUncertainty
from trainer.uncertainty.task import fit_task


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups of 20 subjects of a level have a threshold of their own."""
    for place in ("trainer.uncertainty.task", "trainer.uncertainty.model"):
        monkeypatch.setattr(f"{place}.FEWEST_OF_GROUP", 20)


def written(stage: Stage) -> Uncertainty:
    return Uncertainty.model_validate_json((stage.uncertainty / UNCERTAINTY_FILE).read_text())


@pytest.mark.usefixtures("small_groups")
def test_the_interval_and_set_are_fitted_to_the_other_folds(stage: Stage) -> None:
    stage.execute()

    found = read_predictions(str(stage.predictions / UNCERTAINTY_FOLDER))
    everyone = read_subjects([f"{stage.trial.examples}/Split-train/*"], None, INPUTS, REPEATS)
    slices = slices_of(everyone.serialized, ["sex"])
    scores = stage.trial.out_of_fold.probabilities[:, 1, 0]
    out = everyone.folds[:, 1] == 3
    fitted = fit_task(
        scores[~out],
        everyone.arrays.labels[~out, 0],
        everyone.arrays.weights[~out, 0],
        {"sex": slices["sex"][~out]},
        [{"sex": "F"}, {"sex": "M"}],
        smallest_group=10,
    )
    assert isinstance(fitted, of_task.Calibrators)
    assert fitted.negative.of_group or fitted.positive.of_group
    expected = fitted(scores[out], {"sex": slices["sex"][out]})
    rows = (found.repeat == 1) & (found.fold == 3)
    order = np.argsort(everyone.hashes[out].astype(bytes))
    for part in PARTS:
        assert np.allclose(found.of[part]["death"][rows], expected[part][order])


def test_the_final_model_is_calibrated_on_the_first_out_of_fold_predictions(stage: Stage) -> None:
    stage.execute()

    everyone = read_subjects([f"{stage.trial.examples}/Split-train/*"], None, INPUTS, REPEATS)
    fitted = fit_task(
        stage.trial.out_of_fold.probabilities[:, 0, 1],
        everyone.arrays.labels[:, 1],
        everyone.arrays.weights[:, 1],
        {},
        [],
        smallest_group=10,
    )
    assert isinstance(fitted, of_task.Calibrators)
    assert written(stage).tasks["ae"] == fitted.to_document()
    assert written(stage).out_of_fold


def test_no_prediction_depends_on_whether_intervals_and_sets_can_be_fitted(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.execute()
    fitted = written(stage)
    monkeypatch.setattr(of_model, "fit_task", lambda *_: "none")
    other = Stage(stage.trial, tmp_path / "without")
    other.folder.mkdir()
    other.execute()

    assert set(fitted.fitted) == set(INPUTS.tasks)
    assert written(other).fitted == ()
    for name in (PREDICTIONS_FILE, FINAL_FIT_FILE):
        of_both = [(of.predictions / name).read_bytes() for of in (stage, other)]
        assert of_both[0] == of_both[1]


@pytest.mark.usefixtures("small_groups")
def test_under_split_the_signature_answers_what_the_artifact_has(stage: Stage) -> None:
    stage.execute(plan=SPLIT_PLAN)

    document = written(stage)
    served = str(stage.folder / "served")
    save_with_outputs(
        str(stage.trial.model / "Format-Serving"),
        served,
        ServedUncertainty(document).added,
    )
    test = read_subjects([f"{stage.trial.examples}/Split-test/*"], None, INPUTS, 0)
    found = read_predictions(str(stage.predictions / UNCERTAINTY_FOLDER))
    answered = KeywordModel.load(served).signatures["serving_default"](test.serialized)
    order = np.argsort(test.hashes.astype(bytes))
    assert not document.out_of_fold
    assert document.tasks["death"].groups != ()
    for task in each(INPUTS.tasks):
        for part in PARTS:
            of_signature = answered[output_name(task, part)].numpy().ravel()[order]
            assert each(of_signature.tolist()) == found.of[part][task].tolist()
    assert len(set(found.of[LOWER]["death"].tolist())) > 5


def test_under_split_intervals_are_fitted_to_the_part_that_calibrates(stage: Stage) -> None:
    stage.execute(plan=SPLIT_PLAN)

    calibrating = read_subjects([f"{stage.trial.examples}/Split-eval/*"], None, INPUTS, 0)
    model = KeywordModel.load(str(stage.trial.model / "Format-Serving"))
    scores = model.probabilities(calibrating.serialized, INPUTS.tasks)
    fitted = fit_task(
        scores[:, 0],
        calibrating.arrays.labels[:, 0],
        calibrating.arrays.weights[:, 0],
        {},
        [],
        smallest_group=10,
    )
    assert isinstance(fitted, of_task.Calibrators)
    assert written(stage).tasks["death"] == fitted.to_document()
