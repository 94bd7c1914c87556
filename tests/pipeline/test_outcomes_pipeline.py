"""The graph that records outcomes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tfx.dsl.components.base.base_node import BaseNode

from pipeline.config import Settings
from pipeline.outcomes_config import resolve_outcomes
from pipeline.outcomes_pipeline import create_outcomes_pipeline


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, BaseNode]:
    root: Path = tmp_path_factory.mktemp("runs")
    settings = Settings(subjects=100, root=root, seed=5)
    log = str(root / "log")
    assert resolve_outcomes(settings, "run-1", log).registry_root == str(root / "registry")
    config = resolve_outcomes(settings, "run-1", log, "s3://b/registry")
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


def test_the_list_of_forgotten_subjects_is_asked_and_nothing_else_of_the_registry(
    nodes: dict[str, BaseNode],
) -> None:
    given = nodes["TrialExampleGen"].exec_properties

    assert given["registry_root"] == "s3://b/registry"
    assert given.get("inherited_division") is None
    # Without it no release is claimed.
    assert json.loads(given["settings"])["smallest_group"] is None
