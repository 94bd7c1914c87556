"""The section `evaluation`: which subjects a model is evaluated on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.documents import StrictModel
from pipeline.study.sections.types import Name

Scheme = Literal["split", "cross_fit", "internal_external"]
"""How subjects are divided for the evaluation, as a run has decided it."""

_KEYS: dict[str, set[str]] = {
    "auto": {"folds", "repeats", "least_events"},
    "split": set(),
    "cross_fit": {"folds", "repeats"},
    "internal_external": {"by"},
}
"""Keys that each scheme uses."""


class Evaluation(StrictModel):
    """How a model is evaluated.

    Attributes:
        scheme: `split` evaluates on a test split; `cross_fit` predicts every subject by models
            trained without it; `internal_external` predicts every group of `by` by models trained
            without the group; `auto` takes `split` if every task has enough events in the test
            split, else `cross_fit`.
        folds: Folds of `cross_fit`; 5, where not given.
        repeats: Repeats of `cross_fit`, each with other folds; by the number of subjects, where not
            given.
        by: Groups of `internal_external`: `site`, or the name of a slicing.
        least_events: `auto` takes `split` if every task has at least so many subjects with and so
            many without the outcome in the test split.
        drop_tasks: Whether a model becomes the champion that would not serve a task which the
            champion serves: `refused` or `allowed`.
    """

    scheme: Literal["auto", "split", "cross_fit", "internal_external"] = "split"
    folds: Annotated[int, Field(ge=2, le=20)] | None = None
    repeats: Annotated[int, Field(ge=1, le=100)] | None = None
    by: Name | None = None
    least_events: Annotated[int, Field(ge=1)] = 100
    drop_tasks: Literal["refused", "allowed"] = "refused"

    @model_validator(mode="after")
    def _uses_every_key(self) -> Evaluation:
        if (self.scheme == "internal_external") != (self.by is not None):
            raise ValueError("give `by` with `scheme: internal_external`, and only with it")
        unused = self.model_fields_set - {"scheme", "drop_tasks"} - _KEYS[self.scheme]
        if unused:
            keys = ", ".join(f"`{key}`" for key in sorted(unused))
            raise ValueError(f"`scheme: {self.scheme}` does not use {keys}: remove it")
        return self
