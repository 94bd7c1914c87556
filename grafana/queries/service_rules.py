"""What Prometheus computes and monitors of the prediction service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from grafana import limits
from grafana.queries.promql import JOB, OF_STUDY, PromQuery

_OF_CLIENTS = '{endpoint!~"/metrics|/v2/health/.*"}'
_OF_PREDICTIONS = '{endpoint=~"/predict|.*:predict|.*/infer"}'

REQUESTS = "study:trial_service_requests:rate5m"
ERRORS = "study:trial_service_errors:ratio_rate5m"
SECONDS = "study:trial_service_request_seconds_bucket:rate5m"
SLOWEST = "study:trial_service_request_seconds:p99_5m"
SUBJECTS = "study:trial_service_subjects:increase1h"
FLAGS = "study:trial_service_flags:increase1h"
FLAGGED = "study:trial_service_flags:ratio_increase1h"
USUALLY_FLAGGED = "study:trial_service_flags:ratio_increase1w"

_WEEK_BEFORE = "[1w:1h] offset 1h"


@dataclass(frozen=True)
class Recorded:
    """A series that Prometheus computes at each evaluation.

    Attributes:
        name: Its name: level, metric, operations.
        expression: PromQL.
    """

    name: str
    expression: str


@dataclass(frozen=True)
class ServiceAlert:
    """A condition that Prometheus monitors.

    Attributes:
        name: Its name in Prometheus.
        title: What has happened.
        expression: PromQL with a series for each thing of which it is true.
        lasts: How long it must be true.
        severity: `critical` where requests or predictions are lost or not answered.
        summary: One line; `{study}` stands for the series' label.
        runbook: Heading in docs/operations.md that says what to do.
    """

    name: str
    title: str
    expression: str
    lasts: str
    severity: Literal["critical", "warning"]
    summary: str
    runbook: str

    @property
    def uid(self) -> str:
        """Its fixed id in Grafana."""
        return "".join(f"-{c.lower()}" if c.isupper() else c for c in self.name).strip("-")

    @property
    def raised(self) -> PromQuery:
        """The series that Prometheus keeps while it is raised."""
        return PromQuery(f'ALERTS{{alertname="{self.name}", alertstate="firing"}}')

    @property
    def anchor(self) -> str:
        """Where the runbook has it."""
        return "operations.md#" + self.runbook.lower().replace(" ", "-")


RECORDED = (
    Recorded(
        REQUESTS,
        "sum by (study, endpoint, status) (\n"
        f"  rate(trial_service_requests_total{_OF_CLIENTS}[5m]) {OF_STUDY}\n)",
    ),
    Recorded(
        ERRORS,
        f'(sum by (study) ({REQUESTS}{{status=~"5.."}}) or 0 * sum by (study) ({REQUESTS}))\n'
        f"/ (sum by (study) ({REQUESTS}) > 0)",
    ),
    Recorded(
        SECONDS,
        "sum by (study, le) (\n"
        f"  rate(trial_service_request_seconds_bucket{_OF_PREDICTIONS}[5m]) {OF_STUDY}\n)",
    ),
    Recorded(SLOWEST, f"histogram_quantile(0.99, {SECONDS})"),
    # Each subject is predicted for each task once.
    Recorded(
        SUBJECTS,
        "max by (study) (sum by (study, task) (\n"
        f"  increase(trial_service_predicted_risk_count[1h]) {OF_STUDY}\n))",
    ),
    Recorded(
        FLAGS,
        f"sum by (study, flag) (increase(trial_service_flags_total[1h]) {OF_STUDY})",
    ),
    Recorded(FLAGGED, f"{FLAGS} / on (study) group_left () ({SUBJECTS} > 0)"),
    Recorded(
        USUALLY_FLAGGED,
        f"sum_over_time({FLAGS}{_WEEK_BEFORE})\n"
        f"/ on (study) group_left () (sum_over_time({SUBJECTS}{_WEEK_BEFORE})"
        f" >= {limits.SUBJECTS_TO_JUDGE})",
    ),
)
"""A series may need those before it."""

SERVICE_ALERTS = (
    ServiceAlert(
        name="TrialServiceDown",
        title="A service does not answer",
        expression=f'up{{job="{JOB}"}} == 0',
        lasts="2m",
        severity="critical",
        summary="{instance}: the service does not answer Prometheus",
        runbook="A service does not answer",
    ),
    ServiceAlert(
        name="TrialServiceMissing",
        title="There is no service",
        expression=f'absent(up{{job="{JOB}"}})',
        lasts="5m",
        severity="critical",
        summary="{job}: Prometheus finds no service to read",
        runbook="There is no service",
    ),
    ServiceAlert(
        name="TrialServiceWithoutModel",
        title="A service has no model",
        expression=f"(trial_service_model_version == 0) {OF_STUDY}",
        lasts="2m",
        severity="critical",
        summary="{study}: {instance} has no model and refuses every prediction",
        runbook="A service has no model",
    ),
    ServiceAlert(
        name="TrialServiceOtherModel",
        title="A service does not serve the champion",
        expression=f"(trial_service_model_version != trial_service_registry_version) {OF_STUDY}",
        lasts="5m",
        severity="warning",
        summary="{study}: {instance} serves another version than the registry's champion",
        runbook="A service does not serve the champion",
    ),
    ServiceAlert(
        name="TrialRegistrySilent",
        title="The registry does not answer",
        expression=f"(trial_service_registry_answers == 0) {OF_STUDY}",
        lasts="5m",
        severity="warning",
        summary="{study}: {instance} can't read the registry",
        runbook="The registry does not answer",
    ),
    ServiceAlert(
        name="TrialServiceErrors",
        title="Requests end with errors of the service",
        expression=f"{ERRORS} > {limits.ERRORS}",
        lasts="5m",
        severity="critical",
        summary=f"{{study}}: more than {limits.ERRORS:.0%} of requests end with an error of the "
        "service",
        runbook="Requests end with errors of the service",
    ),
    ServiceAlert(
        name="TrialServiceSlow",
        title="Predictions are slow",
        expression=f"{SLOWEST} > {limits.SECONDS_OF_A_REQUEST}",
        lasts="10m",
        severity="warning",
        summary=f"{{study}}: one of 100 predictions takes longer than "
        f"{limits.SECONDS_OF_A_REQUEST:g} s",
        runbook="Predictions are slow",
    ),
    ServiceAlert(
        name="TrialPredictionsLost",
        title="Predictions are missing in the prediction log",
        expression="sum by (study) (\n"
        '  increase(trial_service_logged_subjects_total{outcome="lost"}[15m]) '
        f"{OF_STUDY}\n) > 0",
        lasts="0s",
        severity="critical",
        summary="{study}: predictions were answered and are missing in the prediction log",
        runbook="Predictions are missing in the prediction log",
    ),
    ServiceAlert(
        name="TrialPredictionLogSilent",
        title="The prediction log does not answer",
        expression=f"(trial_service_prediction_log_answers == 0) {OF_STUDY}",
        lasts="2m",
        severity="warning",
        summary="{study}: {instance} can't write to the prediction log",
        runbook="The prediction log does not answer",
    ),
    ServiceAlert(
        name="TrialFlagsUnusual",
        title="More subjects than usual have a flag",
        expression=f"(\n  {FLAGGED}\n"
        f"    > {limits.TIMES_THE_USUAL_FLAGS:g} * {USUALLY_FLAGGED} + {limits.MORE_FLAGS}\n"
        f") and on (study) {SUBJECTS} >= {limits.SUBJECTS_TO_JUDGE}",
        lasts="15m",
        severity="warning",
        summary="{study}: the flag {flag} is more frequent than in the week before",
        runbook="More subjects than usual have a flag",
    ),
)
