"""Queries to Prometheus of the board on what is in service."""

from __future__ import annotations

from grafana.queries.promql import JOB, OF_CHOSEN, OF_STUDY, PromQuery
from grafana.queries.service_rules import (
    ERRORS,
    FLAGGED,
    REQUESTS,
    SECONDS,
    SLOWEST,
    USUALLY_FLAGGED,
)

_OF_STUDY = f"{OF_STUDY}{OF_CHOSEN}"

INSTANCES = PromQuery(f'sum(up{{job="{JOB}"}} {_OF_STUDY})')

RATE = PromQuery(f"sum({REQUESTS}{OF_CHOSEN})")

ERROR_SHARE = PromQuery(f"{ERRORS}{OF_CHOSEN}")

SLOWEST_SECONDS = PromQuery(f"{SLOWEST}{OF_CHOSEN}")

ALERTS = PromQuery(
    'ALERTS{alertstate="firing", study="$study"}\n'
    'or ALERTS{alertstate="firing", alertname=~"TrialService(Down|Missing)"}'
)
"""Of a service that is not there Prometheus does not know the study."""

SERVED = PromQuery(f"trial_service_model{OF_CHOSEN}")

REQUESTS_BY_STATUS = PromQuery(f"sum by (status) ({REQUESTS}{OF_CHOSEN})", "{{status}}")

REQUESTS_BY_ENDPOINT = PromQuery(f"sum by (endpoint) ({REQUESTS}{OF_CHOSEN})", "{{endpoint}}")

LATENCIES = tuple(
    PromQuery(f"histogram_quantile({share}, {SECONDS}{OF_CHOSEN})", legend)
    for share, legend in ((0.5, "half within"), (0.95, "95 % within"), (0.99, "99 % within"))
)

FLAGGED_SHARE = PromQuery(f"{FLAGGED}{OF_CHOSEN}", "{{flag}}")

USUALLY_FLAGGED_SHARE = PromQuery(f"{USUALLY_FLAGGED}{OF_CHOSEN}", "{{flag}}, week before")


def _in_an_hour(metric: str, by: str) -> str:
    """PromQL of how much a counter of the chosen study has grown in an hour, by labels."""
    return f"sum by ({by}) (increase({metric}[1h]) {_OF_STUDY})"


def _mean(metric: str, by: str) -> str:
    """PromQL of the mean of an hour of what a histogram counts, by labels."""
    total, number = (_in_an_hour(f"{metric}_{part}", by) for part in ("sum", "count"))
    return f"{total}\n/ ({number} > 0)"


MEAN_RISK = PromQuery(
    _mean("trial_service_predicted_risk", "task, version"), "{{task}}, version {{version}}"
)

LOGGED = PromQuery(_in_an_hour("trial_service_logged_subjects_total", "outcome"), "{{outcome}}")

WAITING = PromQuery(f"sum(trial_service_prediction_log_waiting {_OF_STUDY})", "waiting")

SHADOWED = PromQuery(_in_an_hour("trial_service_shadow_requests_total", "outcome"), "{{outcome}}")

SHADOW_DIFFERENCE = PromQuery(
    "histogram_quantile(\n  0.5, "
    f"{_in_an_hour('trial_service_shadow_difference_bucket', 'task, id, le')}\n)",
    "{{task}}, {{id}}",
)
"""The median: a histogram with bounds below 0 has no sum."""
