"""The message of the gate's findings when they stop a run."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.results.findings import Finding


def stop_message(study: str, findings: Sequence[Finding], later: str = "training") -> str | None:
    """The message with all findings that stop the run, or None if none does.

    Args:
        study: Name of the study.
        findings: The findings.
        later: What the run has not begun.
    """
    stops = [finding for finding in findings if finding.severity == "stop"]
    if not stops:
        return None
    lines = [f"- {finding.rule}: {finding.message}" for finding in stops]
    rules = ", ".join(f"gate.{rule}" for rule in dict.fromkeys(finding.rule for finding in stops))
    return "\n".join(
        [
            f"The data gate stopped the run of {study} before {later} ({len(stops)} "
            f"finding{'s' if len(stops) > 1 else ''}):",
            *lines,
            "Fix these problems and rerun. A finding that you accept after review can be made "
            f"a warning in the study file ({rules}: warn).",
        ]
    )
