"""The graph of a scoring."""

from __future__ import annotations

from pathlib import Path

import pytest
from tfx.dsl.components.base.base_node import BaseNode

from pipeline.config import Settings, resolve
from pipeline.scoring_pipeline import create_scoring_pipeline


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, BaseNode]:
    root: Path = tmp_path_factory.mktemp("runs")
    config = resolve(Settings(subjects=100, root=root, seed=5), "run-1", "scoring")
    return {node.id: node for node in create_scoring_pipeline(config).components}


def test_a_study_that_does_not_fit_is_refused_before_its_data_are_read(
    nodes: dict[str, BaseNode],
) -> None:
    assert nodes["RegisteredModel"] in nodes["TrialExampleGen"].upstream_nodes


def test_nothing_is_trained_evaluated_pushed_registered_or_exported(
    nodes: dict[str, BaseNode],
) -> None:
    assert set(nodes) == {
        *("RegisteredModel", "TrialExampleGen", "StatisticsGen", "SkewGate", "BatchScoring"),
    }


def test_no_subject_is_predicted_before_the_gate(nodes: dict[str, BaseNode]) -> None:
    assert nodes["SkewGate"] in nodes["BatchScoring"].upstream_nodes
