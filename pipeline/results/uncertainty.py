"""How far to trust a prediction: `uncertainty.json`, and the columns of each subject's.

CrossFit writes the document, and the served model has it, for its tasks, as
`assets.extra/uncertainty.json`.
"""

from __future__ import annotations

from pydantic import Field

from pipeline.documents import Document, parse_document
from pipeline.storage import read

UNCERTAINTY_FILE = "uncertainty.json"
"""File name in the output `uncertainty` of CrossFit."""

SERVED_FILE = f"assets.extra/{UNCERTAINTY_FILE}"
"""Path below the folder of a SavedModel; TensorFlow leaves `assets.extra` to its users."""

UNCERTAINTY_FOLDER = "uncertainty"
"""Folder in the output `predictions` of CrossFit with intervals and sets of the subjects that are
evaluated, in a `predictions.parquet` whose models are `PARTS`."""

LOWER = "lower"
UPPER = "upper"
SET_NEGATIVE = "set_negative"
SET_POSITIVE = "set_positive"

PARTS = (LOWER, UPPER, SET_NEGATIVE, SET_POSITIVE)
"""What belongs to a prediction: the ends of the interval, and whether the set has each level."""

COVERAGE = 0.9
"""Share of the subjects of each level whose set is to have it."""


FEWEST_OF_GROUP = 500
"""Fewest subjects of a level in a group whose sets are calibrated on its own: the coverage of fewer
varies by more than .013 (one standard deviation) from sample to sample."""


def output_name(task: str, part: str) -> str:
    """Output of a served model's signature.

    Examples:
        >>> output_name("response", LOWER)
        'response/lower'
    """
    return f"{task}/{part}"


def is_part(output: str) -> bool:
    """Whether an output of a signature is no prediction, but belongs to one.

    Examples:
        >>> is_part("response/lower"), is_part("response")
        (True, False)
    """
    return output.endswith(tuple(f"/{part}" for part in PARTS))


class GroupThreshold(Document):
    """What the subjects of a group have on top of the thresholds of all.

    Attributes:
        slice: The group's value by slicing.
        negative: Of the level without the outcome.
        positive: Of the level with it.
    """

    slice: dict[str, str]
    negative: float = 0.0
    positive: float = 0.0


class TaskUncertainty(Document):
    """The intervals and sets of a task, as functions of the prediction.

    Attributes:
        why_not: Why there are none, a sentence; empty where there are.
        starts: Prediction from which each step but the first holds.
        lower: Lower end of the interval on each step.
        upper: Upper end.
        negative: A set has the level without the outcome if the prediction is at most this, plus
            what the subject's groups add; null if every set has it.
        positive: A set has the outcome if one minus the prediction is at most this; null likewise.
        groups: What groups add.
        negative_alone: What `negative` would be if there were no groups: for a subject whose value
            of a slicing of them is not known.
        positive_alone: Likewise of `positive`.
    """

    why_not: str = ""
    starts: tuple[float, ...] = ()
    lower: tuple[float, ...] = ()
    upper: tuple[float, ...] = ()
    negative: float | None = None
    positive: float | None = None
    groups: tuple[GroupThreshold, ...] = ()
    negative_alone: float | None = None
    positive_alone: float | None = None


class Uncertainty(Document):
    """`uncertainty.json`.

    Attributes:
        coverage: Share of the subjects of each level whose set is to have it.
        out_of_fold: Whether calibrated on out-of-fold predictions; else on the `eval` split.
        tasks: The tasks by name.
    """

    coverage: float = Field(gt=0, lt=1)
    out_of_fold: bool
    tasks: dict[str, TaskUncertainty]

    @property
    def fitted(self) -> tuple[str, ...]:
        """Tasks that have intervals and sets."""
        return tuple(task for task, found in self.tasks.items() if not found.why_not)

    def of_tasks(self, tasks: tuple[str, ...]) -> Uncertainty:
        """The document with some of its tasks."""
        kept = {task: found for task, found in self.tasks.items() if task in tasks}
        return self.model_copy(update={"tasks": kept})

    def without(self, why_not: dict[str, str]) -> Uncertainty:
        """The document without the intervals and sets of some tasks, with the reason for each."""
        tasks = {
            task: TaskUncertainty(why_not=why_not[task]) if task in why_not else found
            for task, found in self.tasks.items()
        }
        return self.model_copy(update={"tasks": tasks})


def read_uncertainty(path: str) -> Uncertainty | None:
    """Reads the document, if there is one.

    Args:
        path: Its file, a local path or an address.

    Returns:
        None where there is no such file: a model of an earlier release has none.

    Raises:
        UserError: The file is invalid.
    """
    text = read(path)
    if text is None:
        return None
    return parse_document(
        Uncertainty, text, path, "what CrossFit writes", "Run the pipeline again."
    )
