"""Alert rules, where they go, and how often."""

from __future__ import annotations

import re

from grafana_foundation_sdk.builders import alerting as builders
from grafana_foundation_sdk.builders import expr
from grafana_foundation_sdk.cog import builder as cogbuilder
from grafana_foundation_sdk.cog import variants as cogvariants
from grafana_foundation_sdk.models import alerting

from grafana.boards import look
from grafana.boards.panels import SqlTarget
from grafana.boards.prometheus_panels import prometheus_target
from grafana.queries.alerts import ALERTS, IN_SERVICE, MONITORED, Alert
from grafana.queries.query import Query
from grafana.queries.service_rules import ServiceAlert

FOLDER = "Clinical trial alerts"
FOLDER_UID = "trial-alerts"
GROUP = "clinical-trial-pipeline"
INTERVAL_SECONDS = 300
SERVICE_GROUP = "prediction-service"
SERVICE_INTERVAL_SECONDS = 60
CONTACT_POINT = "trial-webhook"
WEBHOOK_VARIABLE = "TRIAL_ALERT_WEBHOOK"
"""Environment variable of Grafana's with the address that notifications are sent to."""

RETRAIN_POINT = "trial-retrain"
RETRAIN_VARIABLES = ("TRIAL_RETRAIN_WEBHOOK", "TRIAL_RETRAIN_TOKEN")
"""Environment variables of Grafana's: address of the webhook of `trial retrain`, and its token."""

LABELS = {"pipeline": "clinical-trial"}
"""Labels of all alerts."""

_ASKED = "A"
_BEYOND = "B"
_WITHIN_SECONDS = 600
_LABEL = re.compile(r"\{(\w+)\}")
_TEMPLATE = r"{{ .Labels.\1 }}"


def rule(alert: Alert) -> alerting.Rule:
    """An alert as Grafana has it."""
    return (
        builders.Rule(alert.title)
        .uid(alert.uid)
        .folder_uid(FOLDER_UID)
        .rule_group(GROUP)
        .org_id(1)
        .condition(_BEYOND)
        .queries([_query(alert.query), _threshold(alert.above)])
        .for_val("0s")
        # No data is not an incident; a store that does not answer is one.
        .no_data_state("OK")
        .exec_err_state("Error")
        .is_paused(False)
        .labels({"severity": alert.severity, **LABELS})
        .annotations(
            {
                "summary": with_labels(alert.summary),
                "description": f"{with_labels(alert.description)} Board: /d/{alert.board}.",
            }
        )
        .build()
    )


def service_rule(alert: ServiceAlert) -> alerting.Rule:
    """An alert that Prometheus evaluates: Grafana sees it raised, and notifies."""
    return (
        builders.Rule(alert.title)
        .uid(alert.uid)
        .folder_uid(FOLDER_UID)
        .rule_group(SERVICE_GROUP)
        .org_id(1)
        .condition(_BEYOND)
        .queries([_raised(alert), _threshold(0.0)])
        .for_val("0s")
        .no_data_state("OK")
        # Where no service is run there may be no Prometheus.
        .exec_err_state("KeepLast")
        .is_paused(False)
        .labels({"severity": alert.severity, **LABELS})
        .annotations(
            {
                "summary": with_labels(alert.summary),
                "description": f"What to do: docs/{alert.anchor}. Board: /d/{IN_SERVICE}.",
            }
        )
        .build()
    )


def _raised(alert: ServiceAlert) -> builders.Query:
    return (
        builders.Query(_ASKED)
        .datasource_uid(look.PROMETHEUS_UID)
        .model(prometheus_target(alert.raised, ref_id=_ASKED, instant=True))
        .relative_time_range(alerting.RelativeTimeRange(from_val=_WITHIN_SECONDS, to=0))
    )


def with_labels(text: str) -> str:
    """A text whose `{study}` is a label of the alert, as Grafana and Prometheus have it."""
    return _LABEL.sub(_TEMPLATE, text)


def contact_point() -> alerting.ContactPoint:
    """Where notifications are sent to."""
    return (
        builders.ContactPoint()
        .uid(CONTACT_POINT)
        .name(CONTACT_POINT)
        .type("webhook")
        .settings({"url": f"${{{WEBHOOK_VARIABLE}}}", "httpMethod": "POST"})
        .disable_resolve_message(False)
        .build()
    )


def retrain_point() -> alerting.ContactPoint:
    """The webhook of `trial retrain --listen`."""
    address, token = RETRAIN_VARIABLES
    return (
        builders.ContactPoint()
        .uid(RETRAIN_POINT)
        .name(RETRAIN_POINT)
        .type("webhook")
        .settings(
            {
                "url": f"${{{address}}}",
                "httpMethod": "POST",
                "authorization_scheme": "Bearer",
                "authorization_credentials": f"${{{token}}}",
            }
        )
        .disable_resolve_message(True)
        .build()
    )


def notification_policy(retrain: bool = False) -> alerting.NotificationPolicy:
    """One message per study and kind of alert; critical ones are repeated sooner.

    Args:
        retrain: Whether alarms on the model in service also ask for a retraining. One that was
            refused, for want of outcomes for example, is asked for again every four hours.
    """
    asks = (
        builders.NotificationPolicy()
        .receiver(RETRAIN_POINT)
        .object_matchers([["alertname", "=", _alarm().title]])
        .group_by(["study"])
        .repeat_interval("4h")
        .continue_val(True)
    )
    critical = (
        builders.NotificationPolicy()
        .receiver(CONTACT_POINT)
        .object_matchers([["severity", "=", "critical"]])
        .group_by(["alertname", "study"])
        .repeat_interval("4h")
    )
    return (
        builders.NotificationPolicy()
        .receiver(CONTACT_POINT)
        .group_by(["alertname", "study"])
        .group_wait("30s")
        .group_interval("5m")
        .repeat_interval("1d")
        .routes([asks, critical] if retrain else [critical])
        .build()
    )


def _alarm() -> Alert:
    """The alert that an alarm of `trial monitor` has fired."""
    return next(alert for alert in ALERTS if alert.uid == MONITORED)


def _query(query: Query) -> builders.Query:
    return (
        builders.Query(_ASKED)
        .datasource_uid(look.DATASOURCE_UID)
        .model(SqlTarget(query, ref_id=_ASKED))
        .relative_time_range(alerting.RelativeTimeRange(from_val=_WITHIN_SECONDS, to=0))
    )


class _Threshold(cogbuilder.Builder[cogvariants.Dataquery]):
    """Whether a number is above a limit."""

    def __init__(self, above: float) -> None:
        self._above = above

    def build(self) -> cogvariants.Dataquery:
        return (
            expr.TypeThreshold()
            .ref_id(_BEYOND)
            .expression(_ASKED)
            .conditions(
                [
                    expr.ExprTypeThresholdConditions().evaluator(
                        expr.ExprTypeThresholdConditionsEvaluator().type("gt").params([self._above])
                    )
                ]
            )
            .build()
        )


def _threshold(above: float) -> builders.Query:
    return (
        builders.Query(_BEYOND)
        .datasource_uid("__expr__")
        .model(_Threshold(above))
        .relative_time_range(alerting.RelativeTimeRange(from_val=_WITHIN_SECONDS, to=0))
    )
