"""What BlessedModel reads of the study."""

from __future__ import annotations

from typing import Self

from pipeline.study.settings import Settings
from pipeline.study.study import Study


class BlessedModelSettings(Settings):
    """The parts of a study that the model's metadata hold.

    Attributes:
        study_name: Name of the study.
        tasks: Names of the tasks.
        slicings: Names of the slicings, in alphabetical order.
    """

    study_name: str
    tasks: tuple[str, ...]
    slicings: tuple[str, ...] = ()

    @classmethod
    def of(cls, study: Study) -> Self:
        """Takes BlessedModel's part of a study.

        Examples:
            >>> from pipeline.study.load import load_study
            >>> from pipeline.study.shipped import find_study_file
            >>> BlessedModelSettings.of(load_study(find_study_file("synthetic"))).study_name
            'synthetic'
        """
        return cls(
            study_name=study.study,
            tasks=tuple(sorted(study.tasks)),
            slicings=tuple(sorted(study.slicing.by)),
        )
