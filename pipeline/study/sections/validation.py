"""The section `validation`: the registered model that `trial validate` evaluates on this trial."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from pipeline.documents import StrictModel
from pipeline.study.sections.types import Name, StudyName


class Validation(StrictModel):
    """The registered model that `trial validate` evaluates on this trial.

    Attributes:
        of: Study that the model was trained on; this one, where not given.
        model: Id of its registration; the champion, where not given.
        tasks: The model's name of a task by its name in this file; tasks that are not given have
            the same name.
        features: The model's name of a feature by its name in this file; features that are not
            given have the same name.
    """

    of: StudyName | None = None
    model: Annotated[str, Field(pattern="^[0-9a-f]{16}$")] | None = None
    tasks: dict[Name, Name] = {}
    features: dict[Name, Name] = {}

    @model_validator(mode="after")
    def _names_are_distinct(self) -> Validation:
        for key, names in (("tasks", self.tasks), ("features", self.features)):
            given = list(names.values())
            twice = sorted({name for name in given if given.count(name) > 1})
            if twice:
                raise ValueError(f"`{key}` maps several names to {', '.join(twice)}")
        return self
