"""What a validation says of a task, from predictions made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from components.external_validation.executor import task_validation
from components.external_validation.predictions import PredictedTask
from components.external_validation.settings import ExternalValidationSettings
from pipeline.results.validation import UPDATE_METHODS, TaskValidation
from pipeline.study.load import load_study
from pipeline.study.shipped import find_study_file

TASK = "worsening"


@pytest.fixture(scope="module")
def settings() -> ExternalValidationSettings:
    return ExternalValidationSettings.of(load_study(find_study_file("synthetic")))


def validated(
    settings: ExternalValidationSettings, positives: int, negatives: int, apart: bool = False
) -> TaskValidation:
    """Of subjects whose predictions are spread alike, or apart by their outcome."""
    outcome = np.array([1.0] * positives + [0.0] * negatives)
    spread = np.concatenate([np.linspace(0.2, 0.6, positives), np.linspace(0.2, 0.6, negatives)])
    score = np.where(outcome > 0, 0.7, 0.1) if apart else spread
    hashes = np.array([b"%08d" % number for number in range(len(outcome))])
    weight = np.ones(len(outcome))
    predicted = PredictedTask(hashes, score.astype(np.float32), outcome, weight)
    return task_validation(TASK, predicted, None, settings)


def test_ten_events_and_ten_others_are_enough_for_updates(
    settings: ExternalValidationSettings,
) -> None:
    found = validated(settings, 10, 40)

    assert tuple(update.method for update in found.updates) == UPDATE_METHODS
    assert (found.not_fitted, found.why_not_fitted) == ((), "")


@pytest.mark.parametrize(("positives", "negatives"), [(9, 41), (41, 9), (0, 50), (50, 0)])
def test_fewer_events_or_others_have_a_reason_instead_of_updates(
    settings: ExternalValidationSettings, positives: int, negatives: int
) -> None:
    found = validated(settings, positives, negatives)

    assert (found.subjects, found.positives) == (50, positives)
    assert (found.updates, found.not_fitted) == ((), UPDATE_METHODS)
    assert found.why_not_fitted == "fewer than 10 subjects have the outcome, or are without it"
    assert found.observed_to_expected.lower is None


def test_predictions_that_separate_the_outcomes_have_a_reason(
    settings: ExternalValidationSettings,
) -> None:
    found = validated(settings, 20, 30, apart=True)

    assert found.not_fitted == ("logistic_recalibration",)
    assert found.why_not_fitted.startswith("the predictions separate the subjects")


def test_a_task_without_known_labels_has_a_reason_without_numbers(
    settings: ExternalValidationSettings,
) -> None:
    found = validated(settings, 0, 0)

    assert (found.subjects, found.positives, found.updates) == (None, None, ())
    assert found.why_not_fitted == "too few subjects have a known outcome"
