"""The register has the artifacts of all graphs, tuned and updated ones too."""

from __future__ import annotations

import pytest

from pipeline.config import RunConfig, Settings, resolve
from pipeline.monitoring_pipeline import create_monitoring_pipeline
from pipeline.outcomes_pipeline import create_outcomes_pipeline
from pipeline.outputs.output import Within
from pipeline.outputs.register import outputs_within
from pipeline.pipeline import create_pipeline
from pipeline.scoring_pipeline import create_scoring_pipeline
from pipeline.validation_pipeline import create_validation_pipeline


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> RunConfig:
    root = tmp_path_factory.mktemp("runs")
    return resolve(Settings(subjects=100, root=root, seed=5, tune=True), "run-1")


def declared(config: RunConfig) -> set[str]:
    """Folders of all outputs of all stages of the five pipelines."""
    made = {
        "<study>": create_pipeline(config),
        "<study>/validation": create_validation_pipeline(
            config, update="recalibration_in_the_large"
        ),
        "<study>/scoring": create_scoring_pipeline(config),
        "<study>/monitoring": create_monitoring_pipeline(config),
        "<study>/outcomes": create_outcomes_pipeline(config),
    }
    tasks = tuple(config.study.tasks)
    return {
        f"{folder}/artifacts/{node.id}/{_without_task(output, tasks)}"
        for folder, pipeline in made.items()
        for node in pipeline.components
        for output in node.outputs
    }


def _without_task(output: str, tasks: tuple[str, ...]) -> str:
    for task in tasks:
        output = output.removesuffix(f"_{task}") + "_<task>" * output.endswith(f"_{task}")
    return output


def test_artifacts_are_those_of_the_graphs(config: RunConfig) -> None:
    registered = {
        place.partition("/<number>")[0]
        for output in outputs_within(Within.ROOT)
        for place in output.places
        if "/artifacts/" in place
    }

    assert registered == declared(config)
