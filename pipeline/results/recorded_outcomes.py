"""`outcomes.json`: counts of the outcomes that a later data cut added to the prediction log.

The outcomes themselves are rows of the log, see `pipeline.predictions.outcomes`. Numbers of
subjects are rounded down to a multiple of the smallest group, and null where fewer have it.
"""

from __future__ import annotations

from pipeline.documents import Count, Document


class TaskOutcomes(Document):
    """Subjects of a cut who were predicted for a task.

    Attributes:
        task: The task.
        title: Its title.
        scored: Those with a prediction that was made before the outcome was known.
        after: Those whose outcome is known, but was before the first prediction with a number.
        censored: Those whose follow-up is not complete: they are not negative.
        unknown: Those whose outcome is not known for another reason.
    """

    task: str
    title: str
    scored: Count | None = None
    after: Count | None = None
    censored: Count | None = None
    unknown: Count | None = None


class RecordedOutcomes(Document):
    """`outcomes.json`.

    Attributes:
        study: Name of the study.
        fingerprint: Fingerprint of the cut.
        is_new: Whether its outcomes were added: a cut is recorded once, and nothing is added where
            no subject was predicted.
        subjects: Subjects of the cut.
        predicted: Those whom the prediction log holds predictions of.
        smallest_group: Fewest subjects that a number is shown for.
        tasks: The tasks.
    """

    study: str
    fingerprint: str
    is_new: bool
    subjects: Count | None
    predicted: Count | None
    smallest_group: int
    tasks: tuple[TaskOutcomes, ...]

    @property
    def what_was_added(self) -> str:
        """A sentence for people."""
        if self.is_new:
            return "The outcomes of the predicted subjects were added to the prediction log."
        return (
            "Nothing was added to the prediction log: it holds this data cut already, or no "
            "prediction of its subjects."
        )
