"""Findings of the data gate: `findings.json`."""

from __future__ import annotations

from typing import Literal

from pydantic import RootModel

from pipeline.documents import Document
from pipeline.study.sections import Severity

Rule = Literal[
    "anomalies",
    "drift",
    "too_few",
    "sample_size",
    "leakage",
    "missingness",
    "rejects",
    "lost_labels",
    "landmark_labels",
    "unknown_labels",
    "censoring",
    "levels",
]


class Finding(Document):
    """A finding of a rule of the data gate, or a measurement within its limit.

    Attributes:
        rule: The rule, by its name in the study file's gate section.
        severity: `ok` for a measurement within its limit, otherwise the study file's.
        message: For people: what was found, what was expected, what to do; never a subject's value.
        feature: The feature concerned; null if there is none.
        task: The task concerned.
        split: The split concerned.
        dataset: The dataset concerned.
        value: The measured number, if there is one.
        limit: The limit that it was compared with.
    """

    rule: Rule
    severity: Severity | Literal["ok"]
    message: str
    feature: str | None = None
    task: str | None = None
    split: str | None = None
    dataset: str | None = None
    value: int | float | None = None
    limit: int | float | None = None


class Findings(RootModel[tuple[Finding, ...]]):
    """`findings.json`."""
