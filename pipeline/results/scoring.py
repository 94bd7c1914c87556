"""`scoring.json`: what is shown of subjects whom a registered model has scored; no single subject.

The predictions themselves are in the artifact `ScoredSubjects`, see `pipeline.results.scored_file`.
"""

from __future__ import annotations

from pipeline.documents import Count, Document
from pipeline.results.findings import Finding
from pipeline.results.validation import ValidatedModel
from pipeline.study.sections.scoring import Reaction
from pipeline.titles import title_or_name

OUTSIDE_POPULATION = "outside_population"
"""The subject does not meet the study's `population`."""

LEFT_BY_LANDMARK = "left_by_landmark"
"""The subject left, or may have left, by the landmark."""

UNKNOWN_CATEGORY = "unknown_category"
"""Fewer than five training subjects had the category of a feature: the model does not know it."""

OUT_OF_RANGE = "out_of_range"
"""A number is outside of the limits of the training data."""

MISSING_VALUE = "missing_value"
"""A feature is missing that no training subject lacked."""

FLAG_TITLES = {
    OUTSIDE_POPULATION: "Outside of the population of the trial",
    LEFT_BY_LANDMARK: "Left by the landmark",
    UNKNOWN_CATEGORY: "Category that no or few training subjects had",
    OUT_OF_RANGE: "Number beyond those of the training subjects",
    MISSING_VALUE: "Value missing that no training subject lacked",
}
"""Title of each kind of flag, in the order in which they are shown."""


class FlagCount(Document):
    """How many subjects have a flag.

    Attributes:
        flag: The kind of flag.
        feature: The feature that it is about; null where it is about the subject.
        title: Its title; null where the study file gives none.
        subjects: Subjects with it; null where these, or those without it, are too few to show.
        reaction: What happened to these subjects.
    """

    flag: str
    feature: str | None = None
    title: str | None = None
    subjects: Count | None = None
    reaction: Reaction

    @property
    def about(self) -> str | None:
        """The feature as people read it; None where the flag is about the subject."""
        return title_or_name(self.feature, self.title) if self.feature else self.title


class RiskBand(Document):
    """A part of the distribution of a number that is predicted.

    Attributes:
        lower: Its lower end.
        upper: Its upper end.
        share: Share of the predicted subjects, to a hundredth.
    """

    lower: float
    upper: float
    share: float


class ScoredTask(Document):
    """Predictions of a task.

    Attributes:
        task: The task.
        title: Its title.
        outputs: Columns of the predictions that belong to it.
        mean: Mean prediction; null where too few subjects were predicted.
        bands: Distribution of the predictions; each band has as many subjects as may be shown.
    """

    task: str
    title: str
    outputs: tuple[str, ...]
    mean: float | None = None
    bands: tuple[RiskBand, ...] = ()


class Scoring(Document):
    """`scoring.json`.

    Attributes:
        model: The model.
        study: The study whose subjects were scored.
        fingerprint: Fingerprint of their data.
        subjects: All subjects; null where they are too few to show.
        smallest_group: Fewest subjects that a number is shown for.
        tasks: The tasks that the model predicts.
        flags: Subjects by flag.
        skew: What the gate found of the features, beside the training data.
        logged: Whether the predictions were added to the prediction log.
    """

    model: ValidatedModel
    study: str
    fingerprint: str
    subjects: Count | None
    smallest_group: int
    tasks: tuple[ScoredTask, ...]
    flags: tuple[FlagCount, ...] = ()
    skew: tuple[Finding, ...] = ()
    logged: bool = False
