"""The section `evaluation`: which subjects a model is evaluated on."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from pipeline.documents import StrictModel
from pipeline.study.sections.types import Name

Scheme = Literal["split", "cross_fit", "internal_external"]
"""How subjects are divided for the evaluation, as a run has decided it."""

_OF_VERDICT = {"drop_tasks", "default_thresholds"}
"""Keys that each scheme uses: they decide on the verdict alone."""

_KEYS: dict[str, set[str]] = {
    "auto": {"folds", "repeats", "least_events"},
    "split": set(),
    "cross_fit": {"folds", "repeats"},
    "internal_external": {"by"},
}
"""Further keys that each scheme uses."""


class DefaultThresholds(StrictModel):
    """What a model must meet where the study file has no threshold of its own.

    Each default applies to the tasks for which no threshold has the same metric; a difference to
    the champion is another metric in this sense. `null` turns one off.

    Attributes:
        auc: The lower bound of the AUC must be above it.
        better_than_base_rate: Whether the upper bound of the difference of the Brier score to that
            of the base rate must be below 0.
        calibration: Under `split` and `internal_external` the interval of mean prediction minus
            observed rate must not lie wholly beyond this distance from 0.
        calibration_slope: Under `cross_fit`, where mean predictions are right by construction, the
            interval of the calibration slope must not lie wholly outside these two numbers.
        champion_margin: The lower bound of the difference of the AUC to that of the champion must
            not be below minus this margin.
    """

    auc: Annotated[float, Field(ge=0, lt=1)] | None = 0.5
    better_than_base_rate: bool = True
    calibration: Annotated[float, Field(gt=0, lt=1)] | None = 0.03
    calibration_slope: tuple[float, float] | None = (0.7, 1.3)
    champion_margin: Annotated[float, Field(ge=0, lt=1)] | None = 0.05

    @model_validator(mode="after")
    def _slope_rises(self) -> DefaultThresholds:
        slope = self.calibration_slope
        if slope and slope[0] >= slope[1]:
            raise ValueError("the two numbers of `calibration_slope` must rise")
        return self


class Evaluation(StrictModel):
    """How a model is evaluated.

    Attributes:
        scheme: `split` evaluates on a test split; `cross_fit` predicts every subject by models
            trained without it; `internal_external` predicts every group of `by` by models trained
            without the group; `auto` takes `split` if every task has enough events in the test
            split or sites are held out for it, else `cross_fit`. The default.
        folds: Folds of `cross_fit`; 5, where not given.
        repeats: Repeats of `cross_fit`, each with other folds; by the number of subjects, where not
            given.
        by: Groups of `internal_external`: `site`, or the name of a slicing.
        least_events: `auto` takes `split` if every task has at least so many subjects with and so
            many without the outcome in the test split.
        drop_tasks: Whether a model becomes the champion that would not serve a task which the
            champion serves: `refused` or `allowed`.
        default_thresholds: What is demanded of tasks without thresholds; `false` demands nothing,
            and a task of which nothing is demanded is not judged.
    """

    scheme: Literal["auto", "split", "cross_fit", "internal_external"] = "auto"
    folds: Annotated[int, Field(ge=2, le=20)] | None = None
    repeats: Annotated[int, Field(ge=1, le=100)] | None = None
    by: Name | None = None
    least_events: Annotated[int, Field(ge=1)] = 100
    drop_tasks: Literal["refused", "allowed"] = "refused"
    default_thresholds: DefaultThresholds | Literal[False] = DefaultThresholds()

    @property
    def deal(self) -> dict[str, Any]:
        """The keys that decide which subjects a model is evaluated on."""
        return self.model_dump(mode="json", exclude=_OF_VERDICT)

    @model_validator(mode="after")
    def _uses_every_key(self) -> Evaluation:
        if (self.scheme == "internal_external") != (self.by is not None):
            raise ValueError("give `by` with `scheme: internal_external`, and only with it")
        unused = self.model_fields_set - _OF_VERDICT - {"scheme"} - _KEYS[self.scheme]
        if unused:
            keys = ", ".join(f"`{key}`" for key in sorted(unused))
            raise ValueError(f"`scheme: {self.scheme}` does not use {keys}: remove it")
        return self
