"""What RegisteredModel reads of the study."""

from __future__ import annotations

from typing import Self

from pipeline.study.features import feature_columns, feature_titles
from pipeline.study.settings import Settings
from pipeline.study.slicing_titles import task_titles
from pipeline.study.study import Study


class RegisteredModelSettings(Settings):
    """Which model it is, and its names of what it reads and predicts.

    Attributes:
        trained_on: Study that the model was trained on.
        model: Id of its registration; empty for the champion.
        numbers: The model's name of each number of this study, by its name here.
        categories: The model's name of each category.
        tasks: The model's name of each task.
        feature_titles: Titles of the features of this study that have one, by name.
        task_titles: Titles of its tasks.
    """

    trained_on: str
    model: str
    numbers: dict[str, str]
    categories: dict[str, str]
    tasks: dict[str, str]
    feature_titles: dict[str, str]
    task_titles: dict[str, str]

    @classmethod
    def of(cls, study: Study) -> Self:
        """Takes RegisteredModel's part of a study.

        Examples:
            >>> from pipeline.study.load import load_study
            >>> from pipeline.study.shipped import find_study_file
            >>> settings = RegisteredModelSettings.of(load_study(find_study_file("synthetic")))
            >>> settings.trained_on, settings.tasks["worsening"]
            ('synthetic', 'worsening')
        """
        wanted = study.validation
        numbers, categories = feature_columns(study)
        return cls(
            trained_on=wanted.of or study.study,
            model=wanted.model or "",
            numbers={name: wanted.features.get(name, name) for name in sorted(numbers)},
            categories={name: wanted.features.get(name, name) for name in sorted(categories)},
            tasks={name: wanted.tasks.get(name, name) for name in sorted(study.tasks)},
            feature_titles=dict(sorted(feature_titles(study).items())),
            task_titles=dict(sorted(task_titles(study).items())),
        )

    @classmethod
    def for_scoring(cls, study: Study, model: str) -> Self:
        """Takes the part of a study by which its own model scores subjects.

        Args:
            study: The study.
            model: Id of a registration; empty for the champion.
        """
        numbers, categories = feature_columns(study)
        return cls(
            trained_on=study.study,
            model=model,
            numbers={name: name for name in sorted(numbers)},
            categories={name: name for name in sorted(categories)},
            # Whatever the model serves is predicted: its blessed tasks.
            tasks={},
            feature_titles=dict(sorted(feature_titles(study).items())),
            task_titles={},
        )

    @property
    def keeps_names(self) -> bool:
        """Whether the study has the model's names."""
        return all(
            own == theirs
            for names in (self.numbers, self.categories, self.tasks)
            for own, theirs in names.items()
        )
