"""The Evaluator's part of the study."""

from __future__ import annotations

from typing import Literal, Self

from pipeline.names import SITE
from pipeline.study.digest import label_digest
from pipeline.study.sections import DefaultThresholds, Task, Threshold
from pipeline.study.settings import Settings
from pipeline.study.study import Study


class EvaluatorSettings(Settings):
    """The parts of a study that determine the metrics and the verdict.

    Attributes:
        tasks: Decision thresholds of each task, in rising order; tasks in the order of their
            names, which is that of the records in `metrics.json`.
        slicings: Names of the slicings of one column each.
        pairs: Pairs of slicings whose combinations are groups too.
        smallest_group: Fewest subjects with a known label of a group that is shown.
        thresholds: Thresholds of metrics.
        split_seed: Seed of the division into splits.
        label_digest: Digest of the label definitions, see `pipeline.study.digest`.
        drop_tasks: Whether a task that the champion serves may be dropped.
        default_thresholds: What is demanded of tasks without thresholds; None for nothing.
        reference_margin: By so much the AUC must exceed that of a reference model.
        arm_slicing: Name of the slicing by arm; empty without one.
    """

    tasks: dict[str, tuple[float, ...]]
    slicings: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    smallest_group: int
    thresholds: tuple[Threshold, ...]
    split_seed: int
    label_digest: str
    drop_tasks: Literal["refused", "allowed"] = "refused"
    default_thresholds: DefaultThresholds | None = None
    reference_margin: float = 0.005
    arm_slicing: str = ""

    @property
    def expanded_slicings(self) -> tuple[tuple[str, ...], ...]:
        """All slicings as tuples of names: overall (the empty one), the single ones, pairs."""
        return ((), *((name,) for name in self.slicings), *self.pairs)

    @classmethod
    def of(cls, study: Study) -> Self:
        """Takes the Evaluator's part of a study.

        Examples:
            >>> from pipeline.study.load import load_study
            >>> from pipeline.study.shipped import find_study_file
            >>> settings = EvaluatorSettings.of(load_study(find_study_file("synthetic")))
            >>> settings.tasks["worsening"], settings.smallest_group
            ((0.25, 0.5), 50)
        """
        return cls(
            tasks={
                name: _decision_thresholds(study, name, task)
                for name, task in sorted(study.tasks.items())
            },
            slicings=_slicings(study),
            pairs=study.slicing.pairs,
            smallest_group=study.slicing.smallest_group,
            thresholds=study.thresholds,
            split_seed=study.split.seed,
            label_digest=label_digest(study),
            drop_tasks=study.evaluation.drop_tasks,
            default_thresholds=study.evaluation.default_thresholds or None,
            reference_margin=study.training.reference_margin,
            arm_slicing=study.arm_slicing,
        )


def _slicings(study: Study) -> tuple[str, ...]:
    """The study's slicings, and the sites where they are left out in turn."""
    names = tuple(study.slicing.by)
    return (*names, SITE) if study.evaluation.by == SITE and SITE not in names else names


def _decision_thresholds(study: Study, name: str, task: Task) -> tuple[float, ...]:
    """A task's own decision thresholds and those that the study's thresholds name for it."""
    demanded = {
        threshold.decision_threshold
        for threshold in study.thresholds
        if threshold.decision_threshold is not None
        and (not threshold.tasks or name in threshold.tasks)
    }
    return tuple(sorted({*task.decision_thresholds, *demanded}))
