"""What the store has of a run's study."""

from __future__ import annotations

from typing import Self

from pipeline.study.blinded import title_with_conduct
from pipeline.study.sections import Threshold
from pipeline.study.settings import Settings
from pipeline.study.slicing_titles import task_titles, titles_with_pairs
from pipeline.study.study import Study
from pipeline.titles import distinct_titles


class ExportedStudy(Settings):
    """The parts of a study that become rows of the store.

    Attributes:
        study_name: Name of the study.
        digest: Digest of the whole study file.
        smallest_group: Fewest subjects that a group is shown for.
        tasks: Names of the tasks, in the study file's order.
        thresholds: The study's thresholds.
        task_titles: Titles of the tasks by name.
        slicing_titles: Titles of the slicings and pairs that have one, by name.
        title: Title of the study, with what its readers must know of an ongoing trial; empty
            without one.
    """

    study_name: str
    digest: str
    smallest_group: int
    tasks: tuple[str, ...]
    thresholds: tuple[Threshold, ...]
    task_titles: dict[str, str] = {}
    slicing_titles: dict[str, str] = {}
    title: str = ""

    @classmethod
    def of(cls, study: Study) -> Self:
        """Takes the exported parts of a study."""
        titles = task_titles(study)
        return cls(
            study_name=study.study,
            digest=study.digest(),
            smallest_group=study.slicing.smallest_group,
            tasks=tuple(study.tasks),
            thresholds=study.thresholds,
            task_titles=dict(sorted(distinct_titles(titles, titles).items())),
            slicing_titles=dict(sorted(titles_with_pairs(study).items())),
            title=title_with_conduct(study),
        )
