"""Writes all that Grafana and Prometheus read: `python -m grafana.boards.generate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from grafana.boards import prometheus, provisioning
from grafana.boards.in_service import in_service
from grafana.boards.model_quality import model_quality
from grafana.boards.models import models
from grafana.boards.pipeline_health import pipeline_health
from grafana.boards.trial_progress import trial_progress

FOLDER = Path(__file__).parents[1]
_HEADER = "# Made by `make grafana` from grafana/boards: change it there.\n"


class _Dumper(yaml.SafeDumper):
    """Texts of several lines stay readable."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def files() -> dict[str, str]:
    """Content of each file by its path below `grafana/`."""
    found = {}
    boards = (model_quality(), trial_progress(), pipeline_health(), in_service(), models())
    for board in boards:
        content = provisioning.plain(board.build())
        found[f"dashboards/{board.uid}.json"] = json.dumps(content, indent=1) + "\n"
    others: dict[str, dict[str, Any]] = {
        "provisioning/datasources/store.yaml": provisioning.datasource(),
        "provisioning/datasources/prometheus.yaml": provisioning.prometheus_source(),
        "provisioning/dashboards/boards.yaml": provisioning.boards_provider(),
        "provisioning/alerting/rules.yaml": provisioning.rules(),
        "provisioning/alerting/contact_points.yaml": provisioning.contact_points(),
        "provisioning/alerting/policies.yaml": provisioning.policies(),
        # In place of these two, where the address of a webhook of `trial retrain` is given.
        "retraining/contact_points.yaml": provisioning.contact_points(retrain=True),
        "retraining/policies.yaml": provisioning.policies(retrain=True),
        "prometheus/prometheus.yaml": prometheus.configuration(),
        f"prometheus/{prometheus.RULES}": prometheus.rules(),
    }
    for path, content in others.items():
        text = yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True)
        found[path] = _HEADER + text
    return found


def write(folder: Path = FOLDER) -> None:
    """Writes all files.

    Args:
        folder: Where to.
    """
    for path, content in files().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    write()
