"""What the gate found, and how it is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pipeline.study.sections import Severity

Rule = Literal["anomalies", "drift", "too_few", "leakage", "rejects"]


@dataclass(frozen=True)
class Finding:
    """One thing that a rule found, or a measurement within its limit.

    Attributes:
        rule: The rule, by its name in the study file's gate section.
        severity: `ok` for a measurement within its limit, otherwise the study file's.
        message: For people: what was found, what was expected, what to do. It never holds a
            subject's value.
        feature: The feature concerned, and likewise `task`, `split` and `dataset`.
        value: What was measured, if it is a number.
        limit: What it was measured against.
    """

    rule: Rule
    severity: Severity | Literal["ok"]
    message: str
    feature: str | None = None
    task: str | None = None
    split: str | None = None
    dataset: str | None = None
    value: float | None = None
    limit: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """All attributes by name; those that don't apply are null."""
        return asdict(self)


def findings_json(findings: Sequence[Finding]) -> str:
    """The content of `findings.json`: a list of findings in the order of the rules."""
    return json.dumps([finding.as_dict() for finding in findings], indent=2)


def stop_message(study: str, findings: Sequence[Finding]) -> str | None:
    """Why the run stops, with every finding that stops it, or None if none does."""
    stops = [finding for finding in findings if finding.severity == "stop"]
    if not stops:
        return None
    lines = [f"- {finding.rule}: {finding.message}" for finding in stops]
    rules = ", ".join(f"gate.{rule}" for rule in dict.fromkeys(finding.rule for finding in stops))
    return "\n".join(
        [
            f"The data gate stopped the run of {study} before training ({len(stops)} "
            f"finding{'s' if len(stops) > 1 else ''}):",
            *lines,
            "Put these right and run again. A finding that you accept after review can be made "
            f"a warning in the study file ({rules}: warn).",
        ]
    )
