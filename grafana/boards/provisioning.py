"""Grafana's provisioning: data source, folders with boards, alerts, notifications.

Grafana replaces `$NAME` and `${NAME}` in these files by its environment, but neither in the
queries of alerts nor `{{ ... }}` in their texts.
"""

from __future__ import annotations

import json
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana.boards import alerts, look
from grafana.boards.prometheus import READ_EACH
from grafana.queries.alerts import ALERTS
from grafana.queries.service_rules import SERVICE_ALERTS
from pipeline.store.migrate import READER

BOARDS_FOLDER = "/var/lib/grafana/dashboards"
"""Path of the boards' files in Grafana's container."""

_OF_THE_GROUP = ("folderUID", "ruleGroup", "orgID")


def datasource() -> dict[str, Any]:
    """The store, read with the role that can only read."""
    return {
        "apiVersion": 1,
        "datasources": [
            {
                "name": "Trial store",
                "uid": look.DATASOURCE_UID,
                "type": look.DATASOURCE_TYPE,
                "access": "proxy",
                "url": "${TRIAL_STORE_HOST}",
                "user": READER,
                "secureJsonData": {"password": "${TRIAL_READER_PASSWORD}"},
                "jsonData": {
                    "database": "${TRIAL_STORE_DATABASE}",
                    "sslmode": "${TRIAL_STORE_SSLMODE}",
                    "postgresVersion": 1500,
                    "timescaledb": False,
                    "maxOpenConns": 10,
                    "connMaxLifetime": 14400,
                },
                "isDefault": True,
                "editable": False,
            }
        ],
    }


def prometheus_source() -> dict[str, Any]:
    """Prometheus, which reads the prediction service."""
    return {
        "apiVersion": 1,
        "datasources": [
            {
                "name": "Prediction service",
                "uid": look.PROMETHEUS_UID,
                "type": look.PROMETHEUS_TYPE,
                "access": "proxy",
                "url": "${TRIAL_PROMETHEUS}",
                "jsonData": {"httpMethod": "POST", "timeInterval": READ_EACH},
                "isDefault": False,
                "editable": False,
            }
        ],
    }


def boards_provider() -> dict[str, Any]:
    """Where the boards' files lie, and in which folder they are shown."""
    return {
        "apiVersion": 1,
        "providers": [
            {
                "name": "clinical-trial-pipeline",
                "type": "file",
                "folder": look.FOLDER,
                "folderUid": look.FOLDER_UID,
                "disableDeletion": True,
                "allowUiUpdates": False,
                "updateIntervalSeconds": 60,
                "options": {"path": BOARDS_FOLDER, "foldersFromFilesStructure": False},
            }
        ],
    }


def rules() -> dict[str, Any]:
    """All alert rules: those on the store, and those that Prometheus evaluates."""
    return {
        "apiVersion": 1,
        "groups": [
            {
                "orgId": 1,
                "name": alerts.GROUP,
                "folder": alerts.FOLDER,
                "interval": f"{alerts.INTERVAL_SECONDS}s",
                "rules": [
                    {key: value for key, value in rule.items() if key not in _OF_THE_GROUP}
                    for rule in (plain(alerts.rule(alert)) for alert in ALERTS)
                ],
            },
            {
                "orgId": 1,
                "name": alerts.SERVICE_GROUP,
                "folder": alerts.FOLDER,
                "interval": f"{alerts.SERVICE_INTERVAL_SECONDS}s",
                "rules": [
                    {key: value for key, value in rule.items() if key not in _OF_THE_GROUP}
                    for rule in (plain(alerts.service_rule(alert)) for alert in SERVICE_ALERTS)
                ],
            },
        ],
    }


def contact_points(retrain: bool = False) -> dict[str, Any]:
    """The webhook.

    Args:
        retrain: Whether there is that of `trial retrain` as well.
    """
    points = [alerts.contact_point(), *([alerts.retrain_point()] if retrain else [])]
    return {"apiVersion": 1, "contactPoints": [_point(plain(point)) for point in points]}


def _point(receiver: dict[str, Any]) -> dict[str, Any]:
    return {"orgId": 1, "name": receiver.pop("name"), "receivers": [receiver]}


def policies(retrain: bool = False) -> dict[str, Any]:
    """Routing and frequency of notifications.

    Args:
        retrain: Whether alarms also ask for a retraining.
    """
    policy = plain(alerts.notification_policy(retrain))
    return {"apiVersion": 1, "policies": [{"orgId": 1, **policy}]}


def plain(item: object) -> Any:
    """An object of the SDK as JSON-like content."""
    return json.loads(json.dumps(item, cls=JSONEncoder))
