"""What SkewGate reads of the study."""

from __future__ import annotations

from typing import Self

from pipeline.study.features import feature_columns, feature_titles
from pipeline.study.sections import Scoring
from pipeline.study.settings import Settings
from pipeline.study.study import Study


class SkewGateSettings(Settings):
    """The parts of a study that the gate's rules use.

    Attributes:
        study_name: Name of the study.
        numbers: Features that are numbers.
        categories: Features that are categories.
        scoring: Severities and limit.
        smallest_group: Fewest subjects that a rule is applied to.
        titles: Titles of the features that have one, by name.
    """

    study_name: str
    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    scoring: Scoring
    smallest_group: int
    titles: dict[str, str] = {}

    @property
    def kinds(self) -> dict[str, str]:
        """`number` or `category` of each feature."""
        return dict.fromkeys(self.numbers, "number") | dict.fromkeys(self.categories, "category")

    @classmethod
    def of(cls, study: Study) -> Self:
        """Takes SkewGate's part of a study.

        Examples:
            >>> from pipeline.study.load import load_study
            >>> from pipeline.study.shipped import find_study_file
            >>> settings = SkewGateSettings.of(load_study(find_study_file("synthetic")))
            >>> settings.scoring.mostly_new, "arm" in settings.categories
            ('stop', True)
        """
        numbers, categories = feature_columns(study)
        return cls(
            study_name=study.study,
            numbers=tuple(numbers),
            categories=tuple(categories),
            scoring=study.scoring,
            titles=feature_titles(study),
            smallest_group=study.slicing.smallest_group,
        )
