"""How a run evaluates its model: what `evaluation.json` holds.

TrialExampleGen decides it, since the data decide between `split` and `cross_fit`; the later stages
read it.
"""

from __future__ import annotations

from typing import Literal

from pipeline.documents import Count, Document, parse_document
from pipeline.names import SPLITS
from pipeline.storage import read
from pipeline.study.sections.scheme import Scheme
from pipeline.titles import Titles

PlannedScheme = Scheme | Literal["validate", "score"]
"""A scheme, or `validate`: a registered model is evaluated on a trial that did not train it; or
`score`: it predicts subjects whose outcome is not known."""

_OF_REGISTERED = ("validate", "score")

PLAN_FILE = "evaluation.json"
"""File name in the output `rejects` of TrialExampleGen."""


class TooFewEvents(Document):
    """A task with too few subjects of one outcome in a test split.

    Attributes:
        task: The task.
        subjects: Number of those with the outcome or of those without it, whichever is the smaller;
            null where it is too small to be shown.
    """

    task: str
    subjects: Count | None


class SchemeChoice(Document):
    """Why `auto` took a scheme.

    Attributes:
        reason: `sites_held_out`: the study file names the sites of the test split;
            `enough_events`: every task has enough subjects with and without the outcome in a test
            split; `too_few_events`: some have not.
        least: So many subjects with, and without, the outcome are enough.
        tasks: The tasks with too few.
        smallest_group: Fewest subjects that a number is shown for.
    """

    reason: Literal["sites_held_out", "enough_events", "too_few_events"]
    least: Count
    tasks: tuple[TooFewEvents, ...] = ()
    smallest_group: Count

    def text(self, titles: Titles) -> str:
        """The reason, a sentence.

        Args:
            titles: Titles of the study's tasks.
        """
        if self.reason == "sites_held_out":
            return "`split.holdout_sites` names the sites of the test split."
        needed = f"{self.least} subjects with and {self.least} without the outcome"
        if self.reason == "enough_events":
            return f"Every task has at least {needed} in the test split."
        found = (
            f"{self._number(item.subjects)} for {titles.task(item.task)}" for item in self.tasks
        )
        return (
            f"A test split would need {needed}; of the fewer of the two it would have "
            f"{', '.join(found)}."
        )

    def _number(self, subjects: int | None) -> str:
        return f"fewer than {self.smallest_group}" if subjects is None else str(subjects)


class EvaluationPlan(Document):
    """`evaluation.json`.

    Attributes:
        scheme: The scheme of this run.
        requested: The scheme of the study file, `auto` too.
        choice: Why `auto` took this scheme; null if the study file names it.
        reason: The same as a sentence, in documents of earlier versions.
        folds: Folds of a repeat; 0 under `split` and `validate`. Under `internal_external` the
            number of groups.
        repeats: Repeats; 0 under `split` and `validate`.
        by: Under `internal_external` what forms the groups, otherwise empty.
        groups: Under `internal_external` the group that each fold leaves out, by number of the
            fold.
        inherited: Subjects that keep part or fold of the champion's run.
    """

    scheme: PlannedScheme
    requested: str
    choice: SchemeChoice | None = None
    reason: str = ""
    folds: Count = 0
    repeats: Count = 0
    by: str = ""
    groups: tuple[str, ...] = ()
    inherited: Count = 0

    @property
    def out_of_fold(self) -> bool:
        """Whether all subjects are in the split `train` and are predicted out of fold."""
        return self.scheme not in ("split", *_OF_REGISTERED)

    @property
    def evaluated_split(self) -> str:
        """Split of the examples with the subjects that are evaluated."""
        return "train" if self.out_of_fold else "test"

    @property
    def splits(self) -> tuple[str, ...]:
        """Splits of the examples that have subjects."""
        if self.scheme in _OF_REGISTERED:
            return ("test",)
        return ("train",) if self.out_of_fold else SPLITS


SPLIT_PLAN = EvaluationPlan(scheme="split", requested="split")
"""Plan of a run without `evaluation.json`."""


def read_plan(folder: str) -> EvaluationPlan:
    """Reads `evaluation.json`.

    Args:
        folder: Folder of TrialExampleGen's output `rejects`, a local path or an address.

    Returns:
        The plan; `split` for a run of an earlier release, which has no such file.

    Raises:
        UserError: The file is invalid.
    """
    path = f"{folder}/{PLAN_FILE}"
    text = read(path)
    if text is None:
        return SPLIT_PLAN
    return parse_document(
        EvaluationPlan, text, path, "what TrialExampleGen writes", "Run TrialExampleGen again."
    )
