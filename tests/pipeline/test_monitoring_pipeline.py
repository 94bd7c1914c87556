"""The graph of a monitoring, and its configuration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.config import Settings, resolve
from pipeline.errors import UserError
from pipeline.monitoring_config import resolve_monitoring
from pipeline.monitoring_pipeline import create_monitoring_pipeline
from pipeline.names import MONITORING


def test_no_data_are_read_and_nothing_is_trained(tmp_path: Path) -> None:
    config = resolve(Settings(study="ist", root=tmp_path), "run-1", MONITORING)

    assert (config.data_root, config.fingerprint) == ("", "")
    nodes = {node.id: node for node in create_monitoring_pipeline(config).components}
    assert set(nodes) == {"RegisteredModel", "Monitor", "MetricsExporter"}
    assert nodes["RegisteredModel"] in nodes["Monitor"].upstream_nodes


def test_each_run_reads_the_log_again(tmp_path: Path) -> None:
    config = resolve(Settings(study="ist", root=tmp_path), "run-1", MONITORING)

    def of_monitor(run: str) -> dict[str, object]:
        nodes = create_monitoring_pipeline(replace(config, run_id=run)).components
        (node,) = (node for node in nodes if node.id == "Monitor")
        return dict(node.exec_properties)

    assert of_monitor("run-1") != of_monitor("run-2")


def test_without_a_champion_there_is_nothing_to_monitor(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no champion of the study ist"):
        resolve_monitoring(Settings(study="ist", root=tmp_path), None, "run-1", "log")
