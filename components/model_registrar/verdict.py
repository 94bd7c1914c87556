"""The few numbers by which people tell registered models apart."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from pipeline.errors import UserError


class MetricRecord(BaseModel):
    """What is used of one record of the Evaluator's `metrics.json`.

    Attributes:
        task: The task that was judged.
        slice: The group of subjects; all of them where it is empty or `overall`.
        metric: Name of the metric.
        model: `challenger`, `champion` or `difference`.
        value: Null where the group was too small or the metric is undefined.
        decision_threshold: Null for metrics that need none.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    task: str
    slice: Any = None
    metric: str
    model: str
    value: float | None = None
    decision_threshold: float | None = None

    @property
    def is_headline(self) -> bool:
        """Whether it judges the new model on all subjects of the test split."""
        overall = not self.slice or self.slice == "overall"
        return overall and self.model == "challenger" and self.decision_threshold is None

    @staticmethod
    def read_all(text: str, path: str) -> list[MetricRecord]:
        """Reads `metrics.json`.

        Args:
            text: Its content.
            path: Where it lies, for the message.

        Raises:
            UserError: It is not a list of such records.
        """
        try:
            return _RECORDS.validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise UserError(
                f"{path}: not the metrics that TrialEvaluator writes ({place}: {first['msg']}). "
                "Run the evaluation again."
            ) from error


_RECORDS = TypeAdapter(list[MetricRecord])


def headline_metrics(records: Iterable[MetricRecord]) -> dict[str, float]:
    """Metrics of the new model on all test subjects, by `task/metric`.

    Metrics at a decision threshold and undefined ones are left out.
    """
    return {
        f"{record.task}/{record.metric}": record.value
        for record in records
        if record.is_headline and record.value is not None and math.isfinite(record.value)
    }
