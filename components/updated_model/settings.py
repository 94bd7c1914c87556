"""What UpdatedModel reads of the study."""

from __future__ import annotations

from typing import Self

from pipeline.study.settings import Settings
from pipeline.study.slicing_titles import task_titles
from pipeline.study.study import Study


class UpdatedModelSettings(Settings):
    """The study that a model is updated on.

    Attributes:
        study_name: Its name.
        titles: Titles of its tasks by name.
    """

    study_name: str
    titles: dict[str, str]

    @classmethod
    def of(cls, study: Study) -> Self:
        """Takes UpdatedModel's part of a study.

        Examples:
            >>> from pipeline.study.load import load_study
            >>> from pipeline.study.shipped import find_study_file
            >>> UpdatedModelSettings.of(load_study(find_study_file("synthetic"))).study_name
            'synthetic'
        """
        return cls(study_name=study.study, titles=dict(sorted(task_titles(study).items())))
