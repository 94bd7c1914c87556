import json

from tfx.types import channel, standard_artifacts

from components.artifact_types import ModelVerdict
from components.evaluator.component import TrialEvaluator
from components.evaluator.executor import Executor

SECTION = {"tasks": {"response": {"decision_thresholds": [0.5]}}, "slices": [], "pairs": []}


def evaluator(**inputs):
    return TrialEvaluator(
        examples=channel.Channel(type=standard_artifacts.Examples),
        model=channel.Channel(type=standard_artifacts.Model),
        section=SECTION,
        **inputs,
    )


def test_its_outputs_are_those_that_others_read():
    outputs = evaluator().outputs

    assert outputs["evaluation"].type is standard_artifacts.ModelEvaluation
    assert outputs["blessing"].type is standard_artifacts.ModelBlessing
    assert outputs["verdict"].type is ModelVerdict


def test_the_section_of_the_study_is_its_only_property():
    properties = evaluator().exec_properties

    assert list(properties) == ["section"]
    assert json.loads(properties["section"]) == SECTION


def test_a_baseline_may_be_given():
    baseline = channel.Channel(type=standard_artifacts.Model)

    assert "champion_model" in evaluator(champion_model=baseline).inputs


def test_it_runs_on_beam():
    assert evaluator().executor_spec.executor_class is Executor
