"""Every stage of every graph has a line for people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline.config import Settings, resolve
from pipeline.monitoring_pipeline import create_monitoring_pipeline
from pipeline.outcomes_pipeline import create_outcomes_pipeline
from pipeline.pipeline import create_pipeline
from pipeline.runners.stages import STAGES
from pipeline.scoring_pipeline import create_scoring_pipeline
from pipeline.validation_pipeline import create_validation_pipeline


def test_every_node_has_a_line_for_people(tmp_path: Path) -> None:
    config = resolve(Settings(subjects=100, root=tmp_path, seed=5), "run-1")
    graphs = (
        create_pipeline(replace(config, tune=True)),
        create_validation_pipeline(config, "logistic_recalibration"),
        create_scoring_pipeline(config),
        create_outcomes_pipeline(config),
        create_monitoring_pipeline(config),
    )
    assert {node.id for graph in graphs for node in graph.components} == set(STAGES)
