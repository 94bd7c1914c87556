"""DataGate's part of the study."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field

from pipeline.names import ARM, SITE
from pipeline.study.features import feature_titles
from pipeline.study.sections import Gate
from pipeline.study.settings import Settings
from pipeline.study.slicing_titles import task_titles
from pipeline.study.study import Study


class DataGateSettings(Settings):
    """The parts of a study that the gate's rules use.

    Attributes:
        study_name: Name of the study.
        gate: Severities and limits.
        tasks: Names of the tasks.
        features: Columns of the examples that a model may use, with their kind. The arm is
            judged like a feature, and so is the site where the model may use it.
        titles: Titles of the features that have one, by name.
        task_titles: Titles of the tasks by name.
        smallest_group: Fewest subjects that a number is shown for.
        control: The arm that others are compared with; None without arms.
        arm_columns: The arm's columns, for people.
        subject_dataset: The dataset that holds them.
    """

    study_name: str
    gate: Gate
    tasks: tuple[str, ...]
    features: dict[str, Literal["number", "category"]]
    titles: dict[str, str] = {}
    task_titles: dict[str, str] = {}
    smallest_group: Annotated[int, Field(ge=5)] = 20
    control: str | None = None
    arm_columns: tuple[str, ...] = ()
    subject_dataset: str = ""

    @classmethod
    def of(cls, study: Study) -> Self:
        """Takes the gate's part of a study.

        Examples:
            >>> from pipeline.study.load import load_study
            >>> from pipeline.study.shipped import find_study_file
            >>> settings = DataGateSettings.of(load_study(find_study_file("synthetic")))
            >>> settings.tasks, settings.features["arm"]
            (('worsening', 'response', 'hepatic_ae'), 'category')
        """
        features: dict[str, Literal["number", "category"]] = {
            feature.name: feature.kind for feature in study.resolved_features
        }
        if study.arm:
            features[ARM] = "category"
        if study.training.site_as_feature:
            features[SITE] = "category"
        return cls(
            study_name=study.study,
            gate=study.gate,
            tasks=tuple(study.tasks),
            features=features,
            titles=feature_titles(study),
            task_titles=task_titles(study),
            smallest_group=study.slicing.smallest_group,
            control=study.arm.control if study.arm else None,
            subject_dataset=study.subject.dataset,
            arm_columns=study.arm.columns if study.arm else (),
        )
