"""`validation.json`: what an external validation of a registered model found.

Discrimination, calibration and net benefit by slice are in the Evaluator's `metrics.json` of the
same run; this document has what that one has not.
"""

from __future__ import annotations

from typing import Literal

from pipeline.documents import Count, Document
from pipeline.estimates import Estimate
from pipeline.results.outcomes import LEAST_EVENTS
from pipeline.titles import title_or_name

UpdateMethod = Literal["recalibration_in_the_large", "logistic_recalibration"]
"""How a model is updated: the intercept alone, or intercept and slope."""

UPDATE_METHODS: tuple[UpdateMethod, ...] = ("recalibration_in_the_large", "logistic_recalibration")


_FOREIGN = 3.0
"""Standardised difference: of two normal distributions 13 % overlap."""


class ValueShare(Document):
    """Share of the subjects with a known value that have one value.

    Attributes:
        value: The value; null for all rare ones together.
        share: Their share.
    """

    value: str | None
    share: float


class FeatureSummary(Document):
    """A feature of the subjects of a trial.

    Attributes:
        missing: Share of subjects without a value; null where a small group would follow from it.
        mean: Mean of a number.
        sd: Standard deviation of a number.
        values: Shares of the values of a category, the most frequent first.
    """

    missing: float | None = None
    mean: float | None = None
    sd: float | None = None
    values: tuple[ValueShare, ...] = ()


class CaseMixFeature(Document):
    """A feature in the training data and in the validation data.

    Attributes:
        name: Its name in the validated study.
        title: Its title there; null where the study file gives none.
        kind: `number` or `category`.
        training: In the data that the model was trained on; null where its statistics lack it.
        validation: In the data that it is validated on.
        difference: Standardised difference, validation minus training, of a number; largest
            difference of the shares of a value, of a category. Null where it can't be computed.
    """

    name: str
    title: str | None = None
    kind: Literal["number", "category"]
    training: FeatureSummary | None
    validation: FeatureSummary
    difference: float | None

    @property
    def about(self) -> str:
        """The feature as people read it."""
        return title_or_name(self.name, self.title)

    @property
    def is_foreign(self) -> bool:
        """Whether hardly any value is one of the training data: another unit, or other codes.

        Numbers: the means are further apart than three standard deviations. Categories: no shown
        value is shared.
        """
        if self.kind == "number":
            return self.difference is not None and abs(self.difference) > _FOREIGN
        then, now = (
            {item.value for item in summary.values} - {None} if summary else set()
            for summary in (self.training, self.validation)
        )
        return bool(then and now) and not then & now


class NetBenefitGain(Document):
    """Gain in net benefit at a decision threshold.

    Attributes:
        decision_threshold: Probability from which a prediction is positive.
        gain: Net benefit of the updated model minus that of the model as it is.
    """

    decision_threshold: float
    gain: Estimate


class ModelUpdate(Document):
    """A simple update of the model, and what it would gain on new subjects of this trial.

    Attributes:
        method: How the model is updated.
        intercept: Added to the logit of a prediction (after the slope).
        slope: Factor of the logit; null where it stays 1.
        log_loss_gain: Mean log loss of the model as it is minus that of the updated one; above 0
            the update is better.
        brier_gain: The same of the Brier score.
        net_benefit_gains: At each decision threshold of the task.
    """

    method: UpdateMethod
    intercept: Estimate
    slope: Estimate | None = None
    log_loss_gain: Estimate
    brier_gain: Estimate
    net_benefit_gains: tuple[NetBenefitGain, ...] = ()


class TaskValidation(Document):
    """A task.

    Attributes:
        task: Its name in the validated study.
        model_task: The model's name for it.
        subjects: Subjects whose label is known; null where they are too few to be shown.
        positives: Those of them with the outcome.
        observed_rate_in_training: Share with the outcome among the subjects that the model was
            trained on or, where subjects are weighted, evaluated on; null where it is not known.
        observed_to_expected: Ratio of the subjects with the outcome to the number that the model
            predicts; without an interval where fewer than ten have it, or have not.
        logit_mean: Mean logit of the predictions.
        logit_sd: Its standard deviation: how different the subjects are to the model.
        folds: Folds in which the gain of the updates was estimated; 0 where there is none.
        updates: What each simple update would gain; empty where fewer than ten subjects have the
            outcome, or are without it, and where no finite fit exists.
    """

    task: str
    model_task: str
    subjects: Count | None
    positives: Count | None
    observed_rate_in_training: float | None = None
    observed_to_expected: Estimate = Estimate()
    logit_mean: float | None = None
    logit_sd: float | None = None
    folds: Count = 0
    updates: tuple[ModelUpdate, ...] = ()

    @property
    def not_fitted(self) -> tuple[UpdateMethod, ...]:
        """Updates that could not be fitted."""
        fitted = {update.method for update in self.updates}
        return tuple(method for method in UPDATE_METHODS if method not in fitted)

    @property
    def why_not_fitted(self) -> str:
        """Why an update could not be fitted, as the end of a sentence; empty where all were."""
        if not self.not_fitted:
            return ""
        if self.subjects is None or self.positives is None:
            return "too few subjects have a known outcome"
        if min(self.positives, self.subjects - self.positives) < LEAST_EVENTS:
            return f"fewer than {LEAST_EVENTS} subjects have the outcome, or are without it"
        return (
            "the predictions separate the subjects with the outcome from those without it, among "
            "all or in the folds, so that no finite estimate exists"
        )


class ValidatedModel(Document):
    """The model.

    Attributes:
        id: Id of its registration.
        study: Study that it was trained on.
        registered_at: UTC time in ISO 8601.
        fingerprint: Fingerprint of the data that it was trained on.
        model_digest: Digest of its files.
    """

    id: str
    study: str
    registered_at: str
    fingerprint: str
    model_digest: str


class ExternalValidation(Document):
    """`validation.json`.

    Attributes:
        model: The model.
        study: Name of the study that it is validated on.
        fingerprint: Fingerprint of its data.
        subjects: Subjects of the trial.
        smallest_group: Fewest subjects of a group that is shown.
        case_mix: The features of the model.
        tasks: The tasks.
        decision_thresholds: Decision thresholds of each task that has some.
    """

    model: ValidatedModel
    study: str
    fingerprint: str
    subjects: Count
    smallest_group: Count
    case_mix: tuple[CaseMixFeature, ...]
    tasks: tuple[TaskValidation, ...]
    decision_thresholds: dict[str, tuple[float, ...]] = {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must check before the result is believed, a sentence each."""
        foreign = [feature.about for feature in self.case_mix if feature.is_foreign]
        if not foreign:
            return ()
        return (
            f"Hardly any value is one of the training data: {', '.join(foreign)}. Check units and "
            "codes before you read the results.",
        )
