"""What CrossFit reads of the study."""

from __future__ import annotations

from typing import Any, Self

from pipeline.study.features import feature_columns
from pipeline.study.settings import Settings
from pipeline.study.study import Study


class CrossFitSettings(Settings):
    """The parts of a study that the training rests on.

    Attributes:
        numeric: Columns with a number that the model reads, in its order.
        categorical: Columns with a text that it reads.
        tasks: Names of the tasks.
        hyperparameters: Values that replace the defaults, by name in alphabetical order.
        slicings: Slicings of one column or of a pair, by whose groups sets are
            conditional; those of one column in alphabetical order.
        smallest_group: Fewest subjects behind a number that is shown.
    """

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    tasks: tuple[str, ...]
    hyperparameters: dict[str, Any]
    slicings: tuple[tuple[str, ...], ...]
    smallest_group: int

    @classmethod
    def of(cls, study: Study) -> Self:
        """Takes CrossFit's part of a study.

        Examples:
            >>> from pipeline.study.load import load_study
            >>> from pipeline.study.shipped import find_study_file
            >>> CrossFitSettings.of(load_study(find_study_file("synthetic"))).tasks
            ('worsening', 'response', 'hepatic_ae')
        """
        numbers, categories = feature_columns(study)
        return cls(
            numeric=tuple(numbers),
            categorical=tuple(categories),
            tasks=tuple(study.tasks),
            hyperparameters=dict(sorted(study.training.hyperparameters.given.items())),
            slicings=(*((name,) for name in sorted(study.slicing.by)), *study.slicing.pairs),
            smallest_group=study.slicing.smallest_group,
        )
