"""What ReferenceModels reads of the study."""

from __future__ import annotations

from typing import Self

from pipeline.study.features import feature_columns
from pipeline.study.settings import Settings
from pipeline.study.study import Study


class ReferenceModelsSettings(Settings):
    """The parts of a study that the reference models rest on.

    Attributes:
        numeric: Columns with a number that the models read, in their order.
        categorical: Columns with a text that they read.
        tasks: Names of the tasks.
        models: Names of the models beside the base rate, in alphabetical order.
    """

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    tasks: tuple[str, ...]
    models: tuple[str, ...]

    @classmethod
    def of(cls, study: Study) -> Self:
        """Takes the reference models' part of a study.

        Examples:
            >>> from pipeline.study.load import load_study
            >>> from pipeline.study.shipped import find_study_file
            >>> ReferenceModelsSettings.of(load_study(find_study_file("synthetic"))).models
            ('gradient_boosting', 'random_forest', 'ridge')
        """
        numbers, categories = feature_columns(study)
        return cls(
            numeric=tuple(numbers),
            categorical=tuple(categories),
            tasks=tuple(study.tasks),
            models=tuple(sorted(set(study.training.reference_models))),
        )
