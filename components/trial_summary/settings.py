"""What TrialSummary reads of the study."""

from __future__ import annotations

from typing import Self

from pipeline.study.parts import StudyContent, part_for_summary
from pipeline.study.sections import Severity
from pipeline.study.settings import Settings
from pipeline.study.study import Study


class TrialSummarySettings(Settings):
    """The parts of a study that the summary of the trial's progress is made from.

    All that the examples are made from is in it, since that decides which subjects and rows are
    rejected; so it is a study itself, with the section `summary`.

    Attributes:
        study: The study's part.
        levels: Severity of values that `summary` names and that no row has.
    """

    study: StudyContent
    levels: Severity = "stop"

    @classmethod
    def of(cls, study: Study) -> Self:
        """Takes the part of a study that decides the summary."""
        return cls(study=part_for_summary(study), levels=study.gate.levels)
