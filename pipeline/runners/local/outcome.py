"""The outcome of a local run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pipeline.results.task_verdicts import TaskDecision


@dataclass(frozen=True)
class RunOutcome:
    """The outcome of a local run.

    Attributes:
        run: Its id.
        status: `not started` where the settings or the data were invalid.
        paths: What it wrote, by kind: `log`, `records`, `page`, `metrics`, `verdict`,
            `model`, `serving`.
        verdict: `blessed`, `refused` or `not_judged`; None where the run has none.
        tasks: The verdict on each task; empty where the run has none.
        reasons: Why tasks were refused or not judged.
        failed_stage: The stage that failed or was ended; empty if none.
        error: Why the run failed; None where it did not.
        is_users_to_fix: Whether the user must fix something before the run can succeed.
    """

    run: str
    status: Literal["done", "failed", "interrupted", "killed", "not started"]
    paths: Mapping[str, Path] = field(default_factory=dict)
    verdict: TaskDecision | None = None
    tasks: Mapping[str, TaskDecision] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    failed_stage: str = ""
    error: str | None = None
    is_users_to_fix: bool = False

    def to_json(self) -> dict[str, Any]:
        """The outcome as JSON-like content."""
        return {
            "run": self.run,
            "status": self.status,
            "verdict": self.verdict,
            "tasks": dict(self.tasks),
            "reasons": list(self.reasons),
            "failed_stage": self.failed_stage,
            "error": self.error,
            "paths": {name: str(path) for name, path in self.paths.items()},
        }
