"""What the Evaluator says in a verdict: each reason and note as data, with its text for people.

The document holds names and numbers, and no sentence: `Judged.text` makes the sentence with the
titles of the study wherever people read it (terminal, page, card, report, notebooks, store).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator

from pipeline.documents import Count
from pipeline.estimates import Estimate
from pipeline.names import CHALLENGER, CHAMPION
from pipeline.results.judged_words import sentence
from pipeline.results.of_group import MetricName, ModelRole, OfGroup
from pipeline.results.outcomes import ComparisonReason, Origin
from pipeline.study.sections import Holds, Side
from pipeline.titles import Titles

NoteReason = Literal[
    "sentence",
    "nothing_demanded",
    "first_run",
    "validation",
    "other_split",
    "other_labels",
    "other_deal",
    "other_key",
    "no_division",
    "other_scheme",
    "not_compared",
    "compared_on_test",
    "compared_out_of_fold",
    "too_few_to_compare",
    "new_subjects",
    "too_few_new_subjects",
    "simpler_model",
    "held_back",
    "reason_held_back",
]
"""What is said beside the reasons of comparisons.

`sentence`: a finished sentence of an earlier version, shown as it is.
`nothing_demanded`: no comparison of all subjects of the task could pass.
`first_run`, `validation`, `other_split`, `other_labels`, `other_deal`, `other_key`, `no_division`,
`other_scheme`: why no champion is compared.
`not_compared`: a threshold against a champion was not judged.
`compared_on_test`, `compared_out_of_fold`: on whom the champion was compared.
`too_few_to_compare`: what would let the models be compared.
`new_subjects`, `too_few_new_subjects`: how the champion does on subjects who are new since its run.
`simpler_model`: a reference model predicts as well as the model, or better.
`held_back`: no number of the run is shown, since it is too near to an earlier release.
`reason_held_back`: so why a task is not blessed is not shown.
"""


class Judged(OfGroup):
    """A reason of a verdict, or a note.

    Attributes:
        reason: What is said; see `ComparisonReason` and `NoteReason`.
        task: The task; empty for a note on the whole run.
        slice: The group's value by slicing; empty for all subjects.
        metric: The metric; null for a note.
        decision_threshold: Null for metrics that need none.
        model: Whose metric it is.
        versus: Reference model that is compared with; null for the champion or none.
        origin: Whether the study file demands it or it is a default.
        side: On which side of the limit the metric passes; null for a note.
        limit: The limit.
        holds: Which number was judged, see `pipeline.study.sections.Threshold`.
        strict: Whether the limit itself fails.
        estimate: The metric with its interval, where the limit is failed or a note tells it; empty
            where it is suppressed.
        smallest_group: Fewest subjects that a number is shown for, where that decides.
        values: Further numbers and names of a note; a number of subjects below `smallest_group` is
            null.
        message: A finished sentence in documents of earlier versions; otherwise empty.
    """

    reason: ComparisonReason | NoteReason = "sentence"
    task: str = ""
    slice: dict[str, str] = {}
    metric: MetricName | None = None
    decision_threshold: float | None = None
    model: ModelRole = CHALLENGER
    versus: str | None = None
    origin: Origin = "study"
    side: Side | None = None
    limit: float | None = None
    holds: Holds = "point"
    strict: bool = False
    estimate: Estimate = Estimate()
    smallest_group: Count | None = None
    values: Mapping[str, int | float | str | None] = {}
    message: str = ""

    @property
    def is_of_champion(self) -> bool:
        """Whether it is of the subjects on which the champion is compared."""
        return is_of_champion(self.model, self.versus)

    def text(self, titles: Titles) -> str:
        """The reason or note for people; empty for a comparison that passes.

        Args:
            titles: Titles of the study's tasks and slicings; of a document whose groups have
                titles already (`with_titles`), those of the tasks.

        Examples:
            >>> judged = Judged(reason="no_value", task="death", metric="auc")
            >>> judged.text(Titles({"death": "Death"})).partition(" (")[0]
            'Death: AUC overall has no value'
        """
        said = self.text_without_task(titles)
        return f"{titles.task(self.task)}: {said}" if self.task and said != self.message else said

    def text_without_task(self, titles: Titles) -> str:
        """The same without the task, for its own section; a finished sentence as it is."""
        return self.message or sentence(self, titles)


def is_of_champion(model: ModelRole, versus: str | None) -> bool:
    """Whether a metric is of the subjects on which the champion is compared.

    Args:
        model: Whose metric it is.
        versus: Reference model that a difference is to; None for the champion.
    """
    return model == CHAMPION or (model == "difference" and versus is None)


def _of_sentence(told: object) -> object:
    return {"message": told} if isinstance(told, str) else told


Said = Annotated[Judged, BeforeValidator(_of_sentence)]
"""A reason or note of a document; of an earlier version it may be a finished sentence."""
