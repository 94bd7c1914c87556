"""Findings of the data gate, and of the gate before scoring: `findings.json`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Literal

from pydantic import RootModel

from pipeline.documents import Document
from pipeline.study.sections import Severity
from pipeline.titles import title_or_name

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
    "mostly_new",
    "shifted",
]


class Finding(Document):
    """A finding of a rule of the data gate, or a measurement within its limit.

    Attributes:
        rule: The rule, by its name in the study file's section `gate`, or `scoring`.
        severity: `ok` for a measurement within its limit, otherwise the study file's.
        message: For people: what was found, what was expected, what to do; never a subject's value.
        feature: The feature concerned; null if there is none.
        title: Its title; null where the study file gives none.
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
    title: str | None = None
    task: str | None = None
    split: str | None = None
    dataset: str | None = None
    value: int | float | None = None
    limit: int | float | None = None

    @property
    def about(self) -> str | None:
        """The feature concerned, as people read it; None if there is none."""
        return title_or_name(self.feature, self.title) if self.feature else self.title


class Findings(RootModel[tuple[Finding, ...]]):
    """`findings.json`."""


def stop_message(
    study: str,
    findings: Sequence[Finding],
    later: str = "training",
    section: Literal["gate", "scoring"] = "gate",
) -> str | None:
    """The message with all findings that stop the run, or None if none does.

    Args:
        study: Name of the study.
        findings: The findings.
        later: What the run has not begun.
        section: Section of the study file that has the rules.
    """
    stops = [finding for finding in findings if finding.severity == "stop"]
    if not stops:
        return None
    lines = [f"- {finding.rule}: {finding.message}" for finding in stops]
    names = dict.fromkeys(finding.rule for finding in stops)
    rules = ", ".join(f"{section}.{rule}" for rule in names)
    return "\n".join(
        [
            f"The data gate stopped the run of {study} before {later} ({len(stops)} "
            f"finding{'s' if len(stops) > 1 else ''}):",
            *lines,
            "Fix these problems and rerun. A finding that you accept after review can be made "
            f"a warning in the study file ({rules}: warn).",
        ]
    )


def log_findings(
    logger: logging.Logger, findings: Sequence[Finding], recorded: bool = True
) -> None:
    """Logs the findings that are outside of their limits.

    Args:
        logger: Where.
        findings: The findings.
        recorded: Whether the stage's record gets them too; if not, no one but the owner of the log
            sees them.
    """
    notable = [finding for finding in findings if finding.severity in ("stop", "warn")]
    if notable:
        logger.warning(
            "The data gate has %d finding(s):\n%s",
            len(notable),
            "\n".join(f"- {item.severity}, {item.rule}: {item.message}" for item in notable),
            extra={"findings": [finding.model_dump() for finding in notable]}
            if recorded
            else {"held_back": True},
        )
    else:
        logger.info("The data gate has no findings outside their limits.")
