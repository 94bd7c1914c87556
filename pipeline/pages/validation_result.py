"""The result of an external validation, as its page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.results.documents import Curves, MetricRecord, Metrics, Verdict, find_overall
from pipeline.results.validation import ExternalValidation


@dataclass(frozen=True)
class ValidationResult:
    """The result of an external validation.

    Attributes:
        title: Title of the study that the model is validated on.
        titles: Title of each task.
        validation: The document of ExternalValidation.
        metrics: The Evaluator's metrics.
        verdict: Its verdict by the thresholds of the study file.
        curves: Its curves.
        code_version: Version of the project.
    """

    title: str
    titles: Mapping[str, str]
    validation: ExternalValidation
    metrics: Metrics
    verdict: Verdict
    curves: Curves
    code_version: str

    def record(self, task: str, metric: str) -> MetricRecord | None:
        """A metric of all subjects; None where it is not shown."""
        return find_overall(self.metrics.records, task, metric)
