"""What OutcomeLog reads of the study."""

from __future__ import annotations

from typing import Self

from pipeline.study.blinded import title_with_conduct
from pipeline.study.settings import Settings
from pipeline.study.slicing_titles import task_titles
from pipeline.study.study import Study


class OutcomeLogSettings(Settings):
    """The parts of a study that outcomes are recorded and counted by.

    Attributes:
        study_name: Name of the study.
        title: Its title.
        titles: Title of each task.
        least_observed: `censoring.least_observed` of each task.
        smallest_group: Fewest subjects that a number is shown for.
    """

    study_name: str
    title: str
    titles: dict[str, str]
    least_observed: dict[str, float]
    smallest_group: int

    @classmethod
    def of(cls, study: Study) -> Self:
        """Takes OutcomeLog's part of a study.

        Examples:
            >>> from pipeline.study.load import load_study
            >>> from pipeline.study.shipped import find_study_file
            >>> settings = OutcomeLogSettings.of(load_study(find_study_file("synthetic")))
            >>> settings.smallest_group, set(settings.titles) == set(settings.least_observed)
            (50, True)
        """
        return cls(
            study_name=study.study,
            title=title_with_conduct(study),
            titles=task_titles(study),
            least_observed={
                name: task.censoring.least_observed for name, task in study.tasks.items()
            },
            smallest_group=study.slicing.smallest_group,
        )
