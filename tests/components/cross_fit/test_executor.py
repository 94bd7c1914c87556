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
from tests.components.cross_fit.stage import (
    COUNT,
    Stage,
    folds_of,
    subject_hash,
)
from trainer.calibration import Calibration
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


def test_under_split_nothing_is_predicted(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "cross_fit", lambda *_: pytest.fail("the folds were trained"))
    stage.execute(plan=SPLIT_PLAN)

    found = read_predictions(str(stage.predictions))
    assert len(found.subjects) == 0
    assert list(found.of["challenger"]) == ["death", "ae"]
    assert not (stage.predictions / FINAL_FIT_FILE).exists()
