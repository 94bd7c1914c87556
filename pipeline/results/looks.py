"""What had been tried on a trial before a run: part of `verdict.json`."""

from __future__ import annotations

from typing import Literal

from pipeline.documents import Count, Document


class LookHistory(Document):
    """What had been tried before a run's settings were first evaluated.

    Attributes:
        tried: Number of other settings evaluated before on the same labels.
        tried_elsewhere: Number of settings evaluated before with other labels or another division
            of the trial's subjects, such as another seed or scheme.
        changed: Sections in which these settings differ from the one before them.
        frozen: Whether the protocol was fixed before the trial's first result was seen, after it,
            or not at all.
        frozen_at: When it was fixed, UTC time in ISO 8601; empty if it was not.
    """

    tried: Count
    tried_elsewhere: Count = 0
    changed: tuple[str, ...] = ()
    frozen: Literal["before", "after", "no"] = "no"
    frozen_at: str = ""

    @property
    def sentence(self) -> str:
        """The history for the reader of a verdict."""
        tried = "No other settings were evaluated on these labels before"
        if self.tried:
            times = "time" if self.tried == 1 else "times"
            tried = f"These labels were evaluated with other settings {self.tried} {times} before"
        if self.changed:
            tried += f" (last change: {', '.join(self.changed)})"
        if self.tried_elsewhere:
            tried += (
                f"; {self.tried_elsewhere} more settings were evaluated before with other labels "
                "or another division of the trial's subjects"
            )
        day = self.frozen_at[:10]
        fixed = {
            "before": f"tasks, thresholds and evaluation were fixed on {day}, before the first "
            "result was seen",
            "after": f"tasks, thresholds and evaluation were fixed on {day}, after results had "
            "been seen",
            "no": "tasks, thresholds and evaluation were not fixed in advance (`trial freeze`)",
        }[self.frozen]
        return f"{tried}; {fixed}."
