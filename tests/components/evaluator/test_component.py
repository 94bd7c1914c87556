from typing import Any

from tfx.types import channel, standard_artifacts

from components.artifact_types import ModelVerdict
from components.evaluator.component import TrialEvaluator
from components.evaluator.executor import Executor
from components.evaluator.settings import EvaluatorSettings

SETTINGS = EvaluatorSettings(
    tasks={"response": (0.5,)},
    slicings=(),
    pairs=(),
    smallest_group=20,
    thresholds=(),
    split_seed=1,
    label_digest="digest",
)


def evaluator(**inputs: Any) -> Any:
    return TrialEvaluator(
        examples=channel.Channel(type=standard_artifacts.Examples),
        model=channel.Channel(type=standard_artifacts.Model),
        settings=SETTINGS,
        **inputs,
    )


def test_its_outputs_are_those_that_others_read() -> None:
    outputs = evaluator().outputs

    assert outputs["evaluation"].type is standard_artifacts.ModelEvaluation
    assert outputs["blessing"].type is standard_artifacts.ModelBlessing
    assert outputs["verdict"].type is ModelVerdict


def test_its_only_property_is_its_settings_where_nothing_is_recorded() -> None:
    properties = {
        name: value for name, value in evaluator().exec_properties.items() if value is not None
    }

    assert list(properties) == ["settings"]
    assert EvaluatorSettings.from_json(properties["settings"]) == SETTINGS


def test_a_baseline_may_be_given() -> None:
    baseline = channel.Channel(type=standard_artifacts.Model)

    assert "champion_model" in evaluator(champion_model=baseline).inputs


def test_it_runs_on_beam() -> None:
    assert evaluator().executor_spec.executor_class is Executor
