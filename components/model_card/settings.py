"""What ModelCard reads of the study."""

from __future__ import annotations

from typing import Self

from pipeline.study.parts import StudyContent, part_for_card
from pipeline.study.settings import Settings
from pipeline.study.study import Study


class ModelCardSettings(Settings):
    """The whole study: the card contains the study file and its digest.

    Attributes:
        study: The study as stages are handed it, without `disclosure`.
    """

    study: StudyContent

    @classmethod
    def of(cls, study: Study) -> Self:
        """Takes the study without what the card, which is public, does not depend on."""
        return cls(study=part_for_card(study))
