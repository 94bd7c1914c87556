"""What ModelRegistrar reads of the study."""

from __future__ import annotations

from typing import Literal, Self

from pipeline.results.trail import PromotionRule
from pipeline.study.digest import label_digest
from pipeline.study.settings import Settings
from pipeline.study.slicing_titles import slicing_titles, task_titles
from pipeline.study.study import Study
from pipeline.titles import Titles


class ModelRegistrarSettings(Settings):
    """The parts of a study that the registry records with a model.

    Attributes:
        study_name: Name of the study.
        study_digest: Digest of the study file.
        split_seed: Seed of the splits.
        label_digest: Digest of the label definitions.
        promotion: Who decides that a blessed model becomes the champion.
        drop_tasks: Whether a task that the champion serves may be dropped.
        smallest_group: Fewest subjects that a count in the registered statistics is of.
        task_titles: Titles of the tasks by name, for the reason.
        slicing_titles: Titles of the slicings that have one.
    """

    study_name: str
    study_digest: str
    split_seed: int
    label_digest: str
    promotion: PromotionRule = "automatic"
    drop_tasks: Literal["refused", "allowed"] = "refused"
    smallest_group: int = 20
    task_titles: dict[str, str] = {}
    slicing_titles: dict[str, str] = {}

    @property
    def titles(self) -> Titles:
        """What people read in a reason."""
        return Titles.of(self.task_titles, self.slicing_titles)

    @classmethod
    def of(cls, study: Study) -> Self:
        """Takes ModelRegistrar's part of a study.

        Examples:
            >>> from pipeline.study.load import load_study
            >>> from pipeline.study.shipped import find_study_file
            >>> settings = ModelRegistrarSettings.of(load_study(find_study_file("synthetic")))
            >>> settings.study_name, settings.split_seed
            ('synthetic', 1)
        """
        return cls(
            study_name=study.study,
            study_digest=study.digest(),
            split_seed=study.split.seed,
            label_digest=label_digest(study),
            promotion=study.registry.promotion,
            drop_tasks=study.evaluation.drop_tasks,
            smallest_group=study.slicing.smallest_group,
            task_titles=dict(sorted(task_titles(study).items())),
            slicing_titles=dict(sorted(slicing_titles(study).items())),
        )
