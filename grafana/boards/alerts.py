"""Alert rules, where they go, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from grafana_foundation_sdk.builders import alerting as builders
from grafana_foundation_sdk.builders import expr
from grafana_foundation_sdk.cog import builder as cogbuilder
from grafana_foundation_sdk.cog import variants as cogvariants
from grafana_foundation_sdk.models import alerting

from grafana import limits
from grafana.boards import look, model_quality, pipeline_health
from grafana.boards.panels import SqlTarget
from grafana.queries import alerts as queries
from grafana.queries.query import Query

FOLDER = "Clinical trial alerts"
FOLDER_UID = "trial-alerts"
GROUP = "clinical-trial-pipeline"
INTERVAL_SECONDS = 300
CONTACT_POINT = "trial-webhook"
WEBHOOK_VARIABLE = "TRIAL_ALERT_WEBHOOK"
"""Environment variable of Grafana's with the address that notifications are sent to."""

_ASKED = "A"
_BEYOND = "B"
_WITHIN_SECONDS = 600


@dataclass(frozen=True)
class Alert:
    """Something that somebody should know.

    Attributes:
        uid: Its fixed id.
        title: What has happened.
        query: A row for each thing watched, with one number.
        above: The number from which on it has happened, exclusive.
        severity: `critical` where the blessed model or the pipeline can't be relied on.
        summary: One line, with the labels of the row.
        description: What to do.
        board: The board that shows more.
    """

    uid: str
    title: str
    query: Query
    above: float
    severity: Literal["critical", "warning"]
    summary: str
    description: str
    board: str

    def build(self) -> alerting.Rule:
        """The rule as Grafana has it."""
        return (
            builders.Rule(self.title)
            .uid(self.uid)
            .folder_uid(FOLDER_UID)
            .rule_group(GROUP)
            .org_id(1)
            .condition(_BEYOND)
            .queries([_query(self.query), _threshold(self.above)])
            .for_val("0s")
            # Nothing to watch is no incident; a store that does not answer is one.
            .no_data_state("OK")
            .exec_err_state("Error")
            .is_paused(False)
            .labels({"severity": self.severity, "pipeline": "clinical-trial"})
            .annotations(
                {
                    "summary": self.summary,
                    "description": f"{self.description} Board: /d/{self.board}.",
                }
            )
            .build()
        )


ALERTS = (
    Alert(
        uid="trial-under-the-floor",
        title="The blessed model misses what its study demands",
        query=queries.UNDER_THE_FLOOR,
        above=0.0,
        severity="critical",
        summary="{{ .Labels.study }}: {{ .Labels.metric }} of {{ .Labels.task }} misses its limit "
        "({{ .Labels.slice_feature }}: {{ .Labels.slice }})",
        description="The newest evaluation of the blessed model is beyond a threshold of the "
        "study file. Look at the group's interval and at drift, then train again or withdraw it.",
        board=model_quality.UID,
    ),
    Alert(
        uid="trial-miscalibrated",
        title="The blessed model's probabilities are off",
        query=queries.CALIBRATION,
        above=limits.MISCALIBRATION,
        severity="warning",
        summary="{{ .Labels.study }}: mean prediction of {{ .Labels.task }} is far from the "
        "observed rate",
        description=f"Mean prediction and observed rate differ by more than "
        f"{limits.MISCALIBRATION:.0%}. Ranking may still be right; do not rely on the "
        "probabilities until the model is calibrated again.",
        board=model_quality.UID,
    ),
    Alert(
        uid="trial-gap",
        title="Groups of patients are served too differently",
        query=queries.GAPS,
        above=limits.GAP,
        severity="warning",
        summary="{{ .Labels.study }}: {{ .Labels.metric }} of {{ .Labels.task }} differs between "
        "groups of {{ .Labels.slice_feature }}",
        description=f"Even beyond their 95 % intervals two groups differ by more than "
        f"{limits.GAP:.0%} at decision threshold {{{{ .Labels.decision_threshold }}}}.",
        board=model_quality.UID,
    ),
    Alert(
        uid="trial-drift",
        title="A feature's distribution has moved",
        query=queries.DRIFT,
        above=limits.DRIFT,
        severity="warning",
        summary="{{ .Labels.study }}: {{ .Labels.feature }} drifts",
        description="Its distance from the last run's distribution is over the study's limit.",
        board=pipeline_health.UID,
    ),
    Alert(
        uid="trial-silent",
        title="No successful run for too long",
        query=queries.SINCE_SUCCESS,
        above=limits.DAYS_WITHOUT_SUCCESS,
        severity="critical",
        summary="{{ .Labels.study }}: no run has succeeded lately",
        description=f"No run of this study has come to its end for more than "
        f"{limits.DAYS_WITHOUT_SUCCESS} days.",
        board=pipeline_health.UID,
    ),
    Alert(
        uid="trial-rejects",
        title="Too many rows are set aside",
        query=queries.REJECTED,
        above=limits.REJECTED,
        severity="warning",
        summary="{{ .Labels.study }}: rows of {{ .Labels.dataset }} are set aside",
        description=f"More than {limits.REJECTED:.0%} of a dataset's rows hold something that "
        "can't be true. The run's list of rejects names file, row and reason.",
        board=pipeline_health.UID,
    ),
    Alert(
        uid="trial-failed",
        title="The last run failed",
        query=queries.FAILED,
        above=0.0,
        severity="critical",
        summary="{{ .Labels.study }}: the last run failed in {{ .Labels.failed_stage }}",
        description="The board has the reason. Put it right and run again: finished stages are "
        "taken from the cache.",
        board=pipeline_health.UID,
    ),
)


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


def notification_policy() -> alerting.NotificationPolicy:
    """One message a study and kind of alert; what is critical is repeated sooner."""
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
        .routes([critical])
        .build()
    )


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
