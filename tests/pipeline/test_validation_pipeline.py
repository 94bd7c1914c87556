"""The graph of an external validation."""

from __future__ import annotations

from pathlib import Path

import pytest
from tfx.dsl.components.base.base_node import BaseNode

from pipeline.config import RunConfig, Settings, resolve
from pipeline.validation_pipeline import create_validation_pipeline


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> RunConfig:
    root: Path = tmp_path_factory.mktemp("runs")
    return resolve(Settings(subjects=100, root=root, seed=5), "run-1")


def nodes_of(config: RunConfig, **choices: object) -> dict[str, BaseNode]:
    nodes = create_validation_pipeline(config, **choices).components  # type: ignore[arg-type]
    return {node.id: node for node in nodes}


def test_a_study_that_does_not_fit_is_refused_before_its_data_are_read(config: RunConfig) -> None:
    nodes = nodes_of(config)

    assert nodes["RegisteredModel"] in nodes["TrialExampleGen"].upstream_nodes


def test_nothing_is_trained_pushed_or_made_the_champion(config: RunConfig) -> None:
    assert set(nodes_of(config)) == {
        *("RegisteredModel", "TrialExampleGen", "StatisticsGen", "CuratedSchema"),
        *("ExampleValidator", "DataGate", "TrialEvaluator", "ExternalValidation"),
        "MetricsExporter",
    }


def test_an_update_is_a_stage_of_its_own(config: RunConfig) -> None:
    added = set(nodes_of(config, update="logistic_recalibration")) - set(nodes_of(config))

    assert added == {"UpdatedModel"}


def test_the_evaluator_has_no_champion_and_records_no_look(config: RunConfig) -> None:
    evaluator = nodes_of(config)["TrialEvaluator"]

    assert set(evaluator.inputs) == {"examples", "model", "rejects"}
    assert evaluator.exec_properties["look"] is None
