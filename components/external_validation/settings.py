"""What ExternalValidation reads of the study."""

from __future__ import annotations

from typing import Self

from pipeline.study.blinded import title_with_conduct
from pipeline.study.features import feature_columns, feature_titles
from pipeline.study.settings import Settings, TaskTitle
from pipeline.study.slicing_titles import slicing_titles
from pipeline.study.study import Study


class ExternalValidationSettings(Settings):
    """The parts of a study that a validation reports on.

    Attributes:
        study_name: Name of the study.
        title: Its title.
        numbers: The model's name of each number, by its name in the study.
        categories: The model's name of each category.
        tasks: The model's name of each task.
        titles: Title and kind of each task.
        features: Titles of the features that have one, by name.
        slicings: Titles of the slicings that have one, by name.
        decision_thresholds: Decision thresholds of each task.
        smallest_group: Fewest subjects of a group that is shown.
    """

    study_name: str
    title: str
    numbers: dict[str, str]
    categories: dict[str, str]
    tasks: dict[str, str]
    titles: dict[str, TaskTitle]
    features: dict[str, str]
    slicings: dict[str, str]
    decision_thresholds: dict[str, tuple[float, ...]]
    smallest_group: int

    @classmethod
    def of(cls, study: Study) -> Self:
        """Takes ExternalValidation's part of a study.

        Examples:
            >>> from pipeline.study.load import load_study
            >>> from pipeline.study.shipped import find_study_file
            >>> study = load_study(find_study_file("synthetic"))
            >>> ExternalValidationSettings.of(study).decision_thresholds["worsening"]
            (0.25, 0.5)
        """
        numbers, categories = feature_columns(study)
        called = study.validation.features
        return cls(
            study_name=study.study,
            title=title_with_conduct(study),
            numbers={name: called.get(name, name) for name in numbers},
            categories={name: called.get(name, name) for name in categories},
            tasks={name: study.validation.tasks.get(name, name) for name in study.tasks},
            titles=TaskTitle.of(study),
            features=dict(sorted(feature_titles(study).items())),
            slicings=dict(sorted(slicing_titles(study).items())),
            decision_thresholds={
                name: tuple(sorted(task.decision_thresholds)) for name, task in study.tasks.items()
            },
            smallest_group=study.slicing.smallest_group,
        )
