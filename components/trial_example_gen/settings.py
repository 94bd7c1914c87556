"""What TrialExampleGen reads of the study."""

from __future__ import annotations

from typing import Self

from pipeline.names import OUTCOMES, SCORING, TRAINING, VALIDATION, RunKind
from pipeline.study.parts import StudyContent, part_for_examples, part_for_scoring
from pipeline.study.settings import Settings
from pipeline.study.study import Study


class TrialExampleGenSettings(Settings):
    """The parts of a study that the examples are made from.

    That is most of the study file, with its own rules between the parts, so it is a study
    itself: without thresholds, gate, training, card, titles and all else that does not decide
    the examples.

    Attributes:
        study: The study's part.
        smallest_group: Fewest subjects that two releases of the study may differ by; null where the
            run is not compared with earlier ones.
        kind: What the run does: all subjects go to the test split where a registered model is
            validated on them or scores them, and where their outcomes are recorded; nothing of
            their outcome is read where it scores them, and nothing else where it is recorded.
    """

    study: StudyContent
    smallest_group: int | None = None
    kind: RunKind = TRAINING

    @classmethod
    def of(cls, study: Study) -> Self:
        """Takes the part of a study that decides the examples."""
        smallest = study.slicing.smallest_group
        return cls(study=part_for_examples(study), smallest_group=smallest)

    @classmethod
    def for_validation(cls, study: Study) -> Self:
        """Takes the part of a study on which a registered model is validated."""
        return cls(study=part_for_examples(study), kind=VALIDATION)

    @classmethod
    def for_scoring(cls, study: Study) -> Self:
        """Takes the part of a study by which a registered model scores subjects."""
        return cls(study=part_for_scoring(study), kind=SCORING)

    @classmethod
    def for_outcomes(cls, study: Study) -> Self:
        """Takes the part of a study by which outcomes of predicted subjects are recorded."""
        return cls(study=part_for_examples(study), kind=OUTCOMES)
