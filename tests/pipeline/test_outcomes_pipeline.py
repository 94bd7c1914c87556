"""The graph that records outcomes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tfx.dsl.components.base.base_node import BaseNode

from pipeline.config import Settings
from pipeline.outcomes_config import resolve_outcomes
from pipeline.outcomes_pipeline import create_outcomes_pipeline


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, BaseNode]:
    root: Path = tmp_path_factory.mktemp("runs")
    config = resolve_outcomes(Settings(subjects=100, root=root, seed=5), "run-1", str(root / "log"))
    assert config.store == ""
    return {node.id: node for node in create_outcomes_pipeline(config).components}


def test_no_model_is_loaded_and_nothing_trained_pushed_registered_or_exported(
    nodes: dict[str, BaseNode],
) -> None:
    assert set(nodes) == {"TrialExampleGen", "OutcomeLog"}


def test_every_run_is_a_new_execution_since_the_log_is_no_artifact(
    nodes: dict[str, BaseNode],
) -> None:
    assert nodes["OutcomeLog"].exec_properties["run_id"] == "run-1"
