"""A query to Prometheus, which reads the metrics of the prediction service."""

from __future__ import annotations

from dataclasses import dataclass

OF_STUDY = "* on (job, instance) group_left (study) trial_service_study"
"""PromQL that gives the study of its service to a series, whose value it multiplies by 1."""

JOB = "trial-service"
"""Prometheus' name for all services."""

OF_CHOSEN = '{study="$study"}'
"""Selects the study that is chosen on a board, by Grafana's variable."""


@dataclass(frozen=True)
class PromQuery:
    """A query to Prometheus.

    Attributes:
        expression: PromQL; `$study` is the chosen study.
        legend: Name of a line; labels are between double braces.
    """

    expression: str
    legend: str = ""

    def filled(self, study: str) -> str:
        """The expression for a study, as Grafana asks it.

        Args:
            study: Name of the study.
        """
        return self.expression.replace("$study", study)
