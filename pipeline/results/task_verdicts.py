"""The verdict on each task of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pipeline.documents import Document
from pipeline.results.judged import Said
from pipeline.titles import Titles

TaskDecision = Literal["blessed", "refused", "not_judged"]

WORDS: Mapping[TaskDecision, str] = {
    "blessed": "blessed",
    "refused": "refused",
    "not_judged": "not judged",
}
"""Text of each decision on boards and pages."""


DROPS = (
    "The model would not serve {tasks}, which the champion serves. To replace the champion all the "
    "same, set `drop_tasks: allowed` in the section `evaluation` of the study file."
)
"""Why a model with blessed tasks is not blessed."""


class TaskVerdict(Document):
    """The verdict on a task.

    A blessed model serves its blessed tasks only.

    Attributes:
        verdict: `blessed`: no comparison failed and the task's subjects as a whole could be judged;
            `refused`: a comparison failed; `not_judged`: a comparison of all subjects could not
            be judged, and none failed.
        reasons: Why; empty for a blessed task.
    """

    verdict: TaskDecision
    reasons: tuple[Said, ...] = ()

    def reason_texts(self, titles: Titles) -> tuple[str, ...]:
        """Why the task is refused or not judged, each reason once.

        Args:
            titles: Titles of the study's tasks and slicings.
        """
        return tuple(dict.fromkeys(reason.text(titles) for reason in self.reasons))

    def why(self, titles: Titles) -> str:
        """The same in a cell of the task's own row; empty for a blessed task."""
        return "; ".join(dict.fromkeys(reason.text_without_task(titles) for reason in self.reasons))
