"""What the registrar reads of the Evaluator's verdict and metrics."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from pipeline.documents import parse_document

_Content = TypeVar("_Content", bound=BaseModel)


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Reason(_Part):
    """Why a model was refused, in a sentence."""

    message: str


class Verdict(_Part):
    """What is used of `verdict.json`."""

    reasons: tuple[Reason, ...]


class MetricRecord(_Part):
    """What is used of one record of `metrics.json`.

    Attributes:
        task: The task that was judged.
        slice: The group of subjects, by slicing; all of them where it is empty.
        metric: Name of the metric.
        model: `challenger`, `champion` or `difference`.
        value: Null where the metric is undefined.
        decision_threshold: Null for metrics that need none.
    """

    task: str
    slice: dict[str, str]
    metric: str
    model: str
    value: float | None
    decision_threshold: float | None

    @property
    def is_headline(self) -> bool:
        """Whether it judges the new model on all subjects of the test split."""
        return not self.slice and self.model == "challenger" and self.decision_threshold is None


class Metrics(_Part):
    """What is used of `metrics.json`."""

    records: tuple[MetricRecord, ...]


def parse(content: type[_Content], text: str, path: str) -> _Content:
    """Reads a file of the Evaluator.

    Args:
        content: `Verdict` or `Metrics`.
        text: What the file holds.
        path: Where it lies, for the message.

    Raises:
        UserError: It is not what TrialEvaluator writes.
    """
    return parse_document(
        content, text, path, "what TrialEvaluator writes", "Run the evaluation again."
    )


def headline_metrics(records: Iterable[MetricRecord]) -> dict[str, float]:
    """Metrics of the new model on all test subjects, by `task/metric`.

    Metrics at a decision threshold and undefined ones are left out.
    """
    return {
        f"{record.task}/{record.metric}": record.value
        for record in records
        if record.is_headline and record.value is not None and math.isfinite(record.value)
    }
