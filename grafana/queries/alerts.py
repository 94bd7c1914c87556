"""Alerts: queries with a row for each monitored item, one number, and texts about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from grafana import limits
from grafana.queries.monitored import (
    CALIBRATION,
    DRIFT,
    FAILED,
    FIRED,
    GAPS,
    REJECTED,
    SINCE_SUCCESS,
    UNDER_THE_FLOOR,
)
from grafana.queries.query import Query, Row

MODEL_QUALITY = "trial-model-quality"
PIPELINE_HEALTH = "trial-pipeline-health"
IN_SERVICE = "trial-in-service"
MODELS = "trial-models"

MONITORED = "trial-monitored"
"""Id of the alert that an alarm of `trial monitor` has fired."""


@dataclass(frozen=True)
class Alert:
    """A condition that is monitored.

    Attributes:
        uid: Its fixed id.
        title: Its title.
        query: A row for each monitored item, with one number; `limit`, where it has such a
            column, is what the number was compared with when the row was made.
        above: The alert is raised above it.
        severity: `critical` where the blessed model or the pipeline can't be relied on.
        summary: One line; `{study}` stands for what the row has there.
        description: What to do, with the same.
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

    @property
    def number(self) -> str:
        """The column with the number."""
        (found,) = (name for name, kind in self.query.columns.items() if kind != "text")
        return found

    def limit(self, row: Row) -> str:
        """The limit that a row's number exceeds where the alert is raised."""
        return str(row.get("limit", f"{self.above:g}"))

    def has_happened(self, row: Row) -> bool:
        """Whether the alert is raised for a row."""
        return row[self.number] is not None and row[self.number] > self.above


ALERTS = (
    Alert(
        uid="trial-under-the-floor",
        title="The blessed model fails a threshold",
        query=UNDER_THE_FLOOR,
        above=0.0,
        severity="critical",
        summary="{study}: {metric} of {task} fails its threshold ({slicing}: {slice})",
        description="In its newest evaluation the blessed model fails a threshold of the study "
        "file or a default. Look at the group's interval and at drift, then train again or "
        "withdraw it.",
        board=MODEL_QUALITY,
    ),
    Alert(
        uid="trial-miscalibrated",
        title="The blessed model's probabilities are off",
        query=CALIBRATION,
        above=0.0,
        severity="warning",
        summary="{study}: {metric} of {task} fails its threshold ({slicing}: {slice})",
        description="In its newest evaluation the calibration of the blessed model fails a "
        "threshold of the study file or a default. Ranking may still be right; do not rely on the "
        "probabilities until the model is calibrated again.",
        board=MODEL_QUALITY,
    ),
    Alert(
        uid="trial-gap",
        title="Performance differs more between groups of patients than at the blessing",
        query=GAPS,
        above=limits.GAP,
        severity="warning",
        summary="{study}: {metric} of {task} differs more between groups of {slicing} than "
        "at the blessing",
        description=f"What two groups differ by beyond their 95 % intervals, at decision threshold "
        f"{{decision_threshold}}, has grown by more than {limits.GAP:.0%} since the model was "
        "blessed.",
        board=MODEL_QUALITY,
    ),
    Alert(
        uid="trial-drift",
        title="A feature's distribution drifts",
        query=DRIFT,
        above=0.0,
        severity="warning",
        summary="{study}: {feature} drifts",
        description="Its distance from that of the champion's run exceeds the study's limit, "
        "{limit}.",
        board=PIPELINE_HEALTH,
    ),
    Alert(
        uid=MONITORED,
        title="An alarm on the model in service has fired",
        query=FIRED,
        above=0.0,
        severity="critical",
        summary="{study}: {kind} of {about} has changed since training",
        description="It stays so until another model is the champion, or for a year after it was "
        "last seen. Look at performance and drift by period and at the flags; if the input is "
        "wrong, mend it, otherwise train again.",
        board=IN_SERVICE,
    ),
    Alert(
        uid="trial-silent",
        title="No successful run for too long",
        query=SINCE_SUCCESS,
        above=limits.DAYS_WITHOUT_SUCCESS,
        severity="critical",
        summary="{study}: no run has succeeded lately",
        description=f"No run of this study has finished for more than "
        f"{limits.DAYS_WITHOUT_SUCCESS} days.",
        board=PIPELINE_HEALTH,
    ),
    Alert(
        uid="trial-rejects",
        title="Too many rows are rejected",
        query=REJECTED,
        above=0.0,
        severity="warning",
        summary="{study}: rows of {dataset} are rejected",
        description="The share of its rows that can't be used exceeds the study's limit, {limit}. "
        "The run's list of rejects names file, row and reason.",
        board=PIPELINE_HEALTH,
    ),
    Alert(
        uid="trial-failed",
        title="The last run failed or was killed",
        query=FAILED,
        above=0.0,
        severity="critical",
        summary="{study}: the last run {how}",
        description="The board has the reason. Fix the problem and rerun: finished stages are "
        "taken from the cache.",
        board=PIPELINE_HEALTH,
    ),
)
