"""The section `retrain`: when a model is trained again."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, field_validator

from pipeline.documents import StrictModel

RetrainReason = Literal["calibration", "auc", "drift", "risk_drift", "schedule"]
"""An alarm of `trial monitor`, or the calendar alone."""

_DAYS = r"([1-9][0-9]{0,3}) days?"


class RetrainRules(StrictModel):
    """When a model is trained again.

    Attributes:
        when: Kinds of alarms of `trial monitor` that ask for it (`calibration`, `auc`, `drift`,
            `risk_drift`), and `schedule`: without any alarm as well. Nothing by default. An alarm
            on missing values never does: a feed is broken, which no training mends.
        at_least_new_outcomes: Fewest outcomes that must have become known of subjects whom the
            champion had predicted.
        not_more_often_than: Shortest time between two trainings, such as `30 days`.
    """

    when: tuple[RetrainReason, ...] = ()
    at_least_new_outcomes: Annotated[int, Field(ge=1)] = 200
    not_more_often_than: Annotated[str, Field(pattern=f"^{_DAYS}$")] = "30 days"

    @field_validator("when", mode="before")
    @classmethod
    def _no_training_mends_a_feed(cls, value: object) -> object:
        if isinstance(value, list | tuple) and "missing" in value:
            raise ValueError(
                "`missing` stops retraining, whatever is named here: values that do not come any "
                "more are a broken feed, which no training mends. Leave it out"
            )
        return value

    @property
    def interval(self) -> timedelta:
        """Shortest time between two trainings."""
        found = re.fullmatch(_DAYS, self.not_more_often_than)
        assert found
        return timedelta(days=int(found[1]))
