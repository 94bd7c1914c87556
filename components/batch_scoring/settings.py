"""What BatchScoring reads of the study."""

from __future__ import annotations

from typing import Self

from pipeline.study.blinded import title_with_conduct
from pipeline.study.features import feature_columns, feature_titles
from pipeline.study.sections import Scoring
from pipeline.study.settings import Settings
from pipeline.study.slicing_titles import task_titles
from pipeline.study.study import Study


class BatchScoringSettings(Settings):
    """The parts of a study that predictions are flagged and shown by.

    Attributes:
        study_name: Name of the study.
        title: Its title.
        numbers: Features that are numbers.
        categories: Features that are categories.
        titles: Title of each task.
        scoring: What happens to subjects who differ from those of the training.
        smallest_group: Fewest subjects that a number is shown for.
        features: Titles of the features that have one, by name.
    """

    study_name: str
    title: str
    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    titles: dict[str, str]
    scoring: Scoring
    smallest_group: int
    features: dict[str, str] = {}

    @classmethod
    def of(cls, study: Study) -> Self:
        """Takes BatchScoring's part of a study.

        Examples:
            >>> from pipeline.study.load import load_study
            >>> from pipeline.study.shipped import find_study_file
            >>> settings = BatchScoringSettings.of(load_study(find_study_file("synthetic")))
            >>> settings.scoring.out_of_range, settings.smallest_group
            ('flag', 50)
        """
        numbers, categories = feature_columns(study)
        return cls(
            study_name=study.study,
            title=title_with_conduct(study),
            numbers=tuple(numbers),
            categories=tuple(categories),
            titles=task_titles(study),
            scoring=study.scoring,
            features=feature_titles(study),
            smallest_group=study.slicing.smallest_group,
        )
