"""What Prometheus is given: which service it reads, what it computes, what it monitors."""

from __future__ import annotations

from typing import Any

from grafana.boards.alerts import LABELS, SERVICE_GROUP, with_labels
from grafana.queries.alerts import IN_SERVICE
from grafana.queries.promql import JOB
from grafana.queries.service_rules import RECORDED, SERVICE_ALERTS, ServiceAlert

TARGET = "service:8080"
"""The service's name and port in the Compose file."""

TOKEN_FILE = "/run/secrets/metrics_token"
"""Where Compose puts the token of the scope `admin`."""

RULES = "rules.yaml"
READ_EACH = "15s"
"""How often a service is read, and rules are evaluated."""


def configuration() -> dict[str, Any]:
    """Which service is read, and how often."""
    return {
        "global": {"scrape_interval": READ_EACH, "evaluation_interval": READ_EACH},
        "rule_files": [RULES],
        "scrape_configs": [
            {
                "job_name": JOB,
                "authorization": {"type": "Bearer", "credentials_file": TOKEN_FILE},
                "static_configs": [{"targets": [TARGET]}],
            }
        ],
    }


def rules() -> dict[str, Any]:
    """What Prometheus computes, and what it monitors."""
    recorded = [{"record": one.name, "expr": one.expression} for one in RECORDED]
    alerts = [_alert(alert) for alert in SERVICE_ALERTS]
    return {"groups": [{"name": SERVICE_GROUP, "rules": [*recorded, *alerts]}]}


def _alert(alert: ServiceAlert) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": alert.lasts,
        "labels": {"severity": alert.severity, **LABELS},
        "annotations": {
            "summary": with_labels(alert.summary),
            "runbook": f"docs/{alert.anchor}",
            "board": f"/d/{IN_SERVICE}",
        },
    }
