"""The section `scoring`: what `trial score` does where subjects differ from the training data."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.documents import StrictModel
from pipeline.study.sections.types import Severity

Reaction = Literal["flag", "refuse", "ignore"]
"""What happens to a subject: it is predicted and flagged, flagged and not predicted, or neither."""


class Scoring(StrictModel):
    """What `trial score` does where subjects differ from those that the model was trained on.

    Attributes:
        outside_population: Of a subject who would not have been in the trial: outside of
            `population`, or gone by the landmark.
        unknown_category: Of a category that fewer than five training subjects had.
        out_of_range: Of a number outside of the limits that few training subjects are beyond.
        missing_value: Of a missing value of a feature that no training subject lacked.
        mostly_new: Severity of a feature of which more than half of the values are unknown
            categories or out of range, or that has no value at all: it may be another coding or
            another unit.
        shifted: Severity of a feature whose distribution lies further from that of the training
            data than `shift_limit`.
        shift_limit: Largest distance: Jensen-Shannon divergence for numbers, L-infinity norm for
            categories, difference of the shares of missing values.
    """

    outside_population: Reaction = "flag"
    unknown_category: Reaction = "flag"
    out_of_range: Reaction = "flag"
    missing_value: Reaction = "flag"
    mostly_new: Severity = "stop"
    shifted: Severity = "warn"
    shift_limit: Annotated[float, Field(gt=0)] = 0.1
