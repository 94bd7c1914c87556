"""The part of the study that the page of a run and the stage RunPage read."""

from __future__ import annotations

from typing import Self

from pipeline.pages.conduct import unblinded_banner
from pipeline.study.blinded import left_out
from pipeline.study.features import feature_titles
from pipeline.study.sections import Threshold
from pipeline.study.settings import Settings, TaskTitle
from pipeline.study.slicing_titles import slicing_titles
from pipeline.study.study import Study
from pipeline.titles import title_or_name


class RunPageSettings(Settings):
    """The parts of a study that its page names.

    Not in `components/run_page`: the page, a layer below the components, reads it too.

    Attributes:
        study_name: Name of the study.
        title: The study for people.
        tasks: In the study file's order.
        features: Titles of the features that have one, by name.
        slicings: Names of the slicings, in the study file's order.
        thresholds: The study's thresholds.
        slicing_titles: Titles of the slicings that have one, by name.
        pooled: What the page says where figures are pooled over the arms of an ongoing trial.
        banner: What it says on every screen where they are not.
    """

    study_name: str
    title: str
    tasks: dict[str, TaskTitle]
    features: dict[str, str]
    slicings: tuple[str, ...]
    thresholds: tuple[Threshold, ...]
    slicing_titles: dict[str, str] = {}
    pooled: str = ""
    banner: str = ""

    @classmethod
    def of(cls, study: Study) -> Self:
        """Takes the page's part of a study."""
        return cls(
            study_name=study.study,
            title=title_or_name(study.study, study.title),
            tasks=TaskTitle.of(study),
            features=dict(sorted(feature_titles(study).items())),
            slicings=tuple(study.slicing.by),
            thresholds=tuple(study.thresholds),
            slicing_titles=dict(sorted(slicing_titles(study).items())),
            pooled=left_out(study.hidden) if study.hidden else "",
            banner=unblinded_banner(study),
        )
