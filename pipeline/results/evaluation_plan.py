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

PlannedScheme = Scheme | Literal["validate", "score"]
"""A scheme, or `validate`: a registered model is evaluated on a trial that did not train it; or
`score`: it predicts subjects whose outcome is not known."""

_OF_REGISTERED = ("validate", "score")

PLAN_FILE = "evaluation.json"
"""File name in the output `rejects` of TrialExampleGen."""


class EvaluationPlan(Document):
    """`evaluation.json`.

    Attributes:
        scheme: The scheme of this run.
        requested: The scheme of the study file, `auto` too.
        reason: Why `auto` took this scheme, a sentence; empty if the study file names it.
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
