"""What TrialAnalysis reads of the study."""

from __future__ import annotations

from typing import Literal, Self

from pipeline.study.sections import Analysis, Arm
from pipeline.study.settings import Settings, TaskTitle
from pipeline.study.study import Study


class TrialAnalysisSettings(Settings):
    """The parts of a study that the analysis rests on.

    Attributes:
        study_name: Name of the study.
        title: Its title.
        arm: The arms; None where there are none.
        characteristics: Features that are known at baseline, with their kind.
        tasks: The tasks.
        slicings: Names of the slicings that subgroups are made by; not those by arm.
        smallest_group: Fewest subjects that a group is shown for.
        landmark: Study day after which outcomes count; None where that is baseline.
        analysis: The study file's own section.
    """

    study_name: str
    title: str
    arm: Arm | None
    characteristics: dict[str, Literal["number", "category"]]
    tasks: dict[str, TaskTitle]
    slicings: tuple[str, ...]
    smallest_group: int
    landmark: int | None
    analysis: Analysis

    @property
    def covariates(self) -> tuple[str, ...]:
        """Characteristics that differences are adjusted for."""
        chosen = self.analysis.adjust_for
        return tuple(self.characteristics) if chosen is None else chosen

    @classmethod
    def of(cls, study: Study) -> Self:
        """Takes the analysis's part of a study.

        Examples:
            >>> from pipeline.study.load import load_study
            >>> from pipeline.study.shipped import find_study_file
            >>> settings = TrialAnalysisSettings.of(load_study(find_study_file("synthetic")))
            >>> settings.slicings, settings.landmark
            (('sex', 'age_band'), 28)
        """
        arm_columns = study.arm.columns if study.arm else ()
        return cls(
            study_name=study.study,
            title=study.title,
            arm=study.arm,
            characteristics={feature.name: feature.kind for feature in study.baseline_features},
            tasks=TaskTitle.of(study),
            slicings=tuple(
                name
                for name, group in study.slicing.by.items()
                if group.of != "arm" and group.column not in arm_columns
            ),
            smallest_group=study.slicing.smallest_group,
            landmark=study.landmark_day if study.landmark_day > study.first_day else None,
            analysis=study.analysis,
        )
