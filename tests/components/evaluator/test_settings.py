"""What the Evaluator reads of a study."""

from __future__ import annotations

from components.evaluator.settings import EvaluatorSettings
from tests.pipeline.study.two_tasks import study


def test_the_settings_read_back_are_what_the_study_says() -> None:
    settings = EvaluatorSettings.from_json(EvaluatorSettings.of(study()).to_json())

    assert settings.expanded_slicings == ((), ("sex",), ("race",), ("sex", "race"))
    assert settings.smallest_group == 25
    assert settings.split_seed == 4
    assert settings.thresholds == study().thresholds


def test_a_demanded_decision_threshold_is_computed_for_its_tasks() -> None:
    settings = EvaluatorSettings.from_json(EvaluatorSettings.of(study()).to_json())

    assert settings.tasks == {"response": (0.5,), "ae": (0.2, 0.5)}
