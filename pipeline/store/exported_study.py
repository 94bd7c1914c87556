"""What the store has of a run's study."""

from __future__ import annotations

from typing import Self

from pipeline.study.sections import Threshold
from pipeline.study.settings import Settings
from pipeline.study.study import Study


class ExportedStudy(Settings):
    """The parts of a study that become rows of the store.

    Attributes:
        study_name: Name of the study.
        digest: Digest of the whole study file.
        smallest_group: Fewest subjects that a group is shown for.
        tasks: Names of the tasks, in the study file's order.
        thresholds: The study's thresholds.
    """

    study_name: str
    digest: str
    smallest_group: int
    tasks: tuple[str, ...]
    thresholds: tuple[Threshold, ...]

    @classmethod
    def of(cls, study: Study) -> Self:
        """Takes the exported parts of a study."""
        return cls(
            study_name=study.study,
            digest=study.digest(),
            smallest_group=study.slicing.smallest_group,
            tasks=tuple(study.tasks),
            thresholds=study.thresholds,
        )
