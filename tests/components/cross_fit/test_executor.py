"""Out-of-fold predictions, and the final model beside them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.cross_fit import executor as module
from pipeline.errors import UserError
from pipeline.results.evaluation_plan import SPLIT_PLAN
from pipeline.results.final_fit import FINAL_FIT_FILE, FinalFit
from pipeline.results.predictions import read_predictions
from pipeline.results.tuning import read_tuning
from tests.components.cross_fit.stage import (
    COUNT,
    REPEATS,
    Stage,
    folds_of,
    subject_hash,
)
from trainer.calibration import Calibration
from trainer.cross_fit import OutOfFold
from trainer.fit import Fitted


def test_every_subject_is_predicted_in_each_repeat_with_its_fold(stage: Stage) -> None:
    stage.execute()

    found = read_predictions(str(stage.predictions))

    assert list(found.of) == ["challenger"]
    assert list(found.of["challenger"]) == ["death", "ae"]
    folds = {
        (bytes(subject), int(repeat)): int(fold)
        for subject, repeat, fold in zip(found.subjects, found.repeat, found.fold, strict=True)
    }
    assert folds == {
        (subject_hash(subject), repeat): fold
        for subject in range(COUNT)
        for repeat, fold in enumerate(folds_of(subject))
    }
    for values in found.of["challenger"].values():
        assert np.all((values > 0) & (values < 1))


def test_the_final_model_of_the_procedure_is_compared_and_passes(stage: Stage) -> None:
    stage.execute()

    found = FinalFit.model_validate_json((stage.predictions / FINAL_FIT_FILE).read_text())

    assert set(found.tasks) == {"death", "ae"}
    for agreement in found.tasks.values():
        assert set(agreement.departures) == {"shift", "spread", "correlation"}


def _with_half_the_slope(fitted: Fitted) -> Fitted:
    slopes = tuple(slope / 2 for slope in fitted.calibration.slopes)
    return dataclasses.replace(
        fitted, calibration=Calibration(slopes, fitted.calibration.intercepts)
    )


class _Swapped(tf.Module):  # type: ignore[misc]
    """A model whose first two numbers are swapped."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def __call__(self, inputs: tuple[Any, Any], training: bool = False) -> Any:
        numbers, codes = inputs
        order = [1, 0, *range(2, numbers.shape[1])]
        return self.model((tf.gather(numbers, order, axis=1), codes), training=training)


def _with_a_swapped_column(fitted: Fitted) -> Fitted:
    return dataclasses.replace(fitted, model=_Swapped(fitted.model))


@pytest.mark.parametrize(
    ("wrong", "measure"),
    [(_with_half_the_slope, "spread"), (_with_a_swapped_column, "correlation")],
)
def test_a_fault_of_the_final_model_alone_fails_the_stage_before_the_push(
    wrong: Callable[[Fitted], Fitted], measure: str, stage: Stage
) -> None:
    with pytest.raises(UserError, match=rf"death: {measure} .* is not pushed"):
        stage.execute(stage.save(wrong(stage.trial.fitted)))


def test_what_the_procedures_chose_is_written_beside_their_predictions(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = np.array([0, 3, 3, 3, 7] * REPEATS)
    asked: list[Any] = []

    def tuned(*arguments: Any) -> OutOfFold:
        asked.extend(arguments[-1])
        return dataclasses.replace(stage.trial.out_of_fold, chosen=chosen)

    monkeypatch.setattr(module, "cross_fit", tuned)
    stage.execute(tune=True)

    found = read_tuning(str(stage.predictions))
    assert found is not None
    searched = ["dropout", "learning_rate", "weight_decay", "penalty"]
    assert all(list(item.hyperparameters) == searched for item in found.sets)
    assert [item.procedures for item in found.sets] == [2, 0, 0, 6, 0, 0, 0, 2]
    of_others = [item.hyperparameters for item in found.sets[1:]]
    assert of_others == [{name: getattr(other, name) for name in searched} for other in asked]


def test_without_tuning_there_are_no_sets(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def untuned(*arguments: Any) -> OutOfFold:
        asked.append(arguments[-1])
        return stage.trial.out_of_fold

    monkeypatch.setattr(module, "cross_fit", untuned)
    stage.execute()

    assert asked == [[]]
    assert read_tuning(str(stage.predictions)) is None


def test_under_split_nothing_is_predicted(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "cross_fit", lambda *_: pytest.fail("the folds were trained"))
    stage.execute(plan=SPLIT_PLAN)

    found = read_predictions(str(stage.predictions))
    assert len(found.subjects) == 0
    assert list(found.of["challenger"]) == ["death", "ae"]
    assert not (stage.predictions / FINAL_FIT_FILE).exists()
