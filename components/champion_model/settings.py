"""What ChampionModel reads of the study."""

from __future__ import annotations

from typing import Self

from pipeline.study.digest import label_digest
from pipeline.study.settings import Settings
from pipeline.study.study import Study


class ChampionModelSettings(Settings):
    """The parts of a study that name its champion and decide whether it is comparable.

    Attributes:
        study_name: Name of the study.
        split_seed: Seed of this run's splits.
        label_digest: Digest of this run's label definitions.
        is_blinded: Whether the arm is hidden, so that no champion may read it.
    """

    study_name: str
    split_seed: int
    label_digest: str
    is_blinded: bool = False

    @classmethod
    def of(cls, study: Study) -> Self:
        """Takes ChampionModel's part of a study.

        Examples:
            >>> from pipeline.study.load import load_study
            >>> from pipeline.study.shipped import find_study_file
            >>> settings = ChampionModelSettings.of(load_study(find_study_file("synthetic")))
            >>> settings.study_name, settings.split_seed
            ('synthetic', 1)
        """
        return cls(
            study_name=study.study,
            split_seed=study.split.seed,
            label_digest=label_digest(study),
            is_blinded=study.hidden is not None,
        )
