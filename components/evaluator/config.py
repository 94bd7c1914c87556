"""What the Evaluator is told: the study's parts that decide metrics and verdict."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from pipeline.study.conditions import Condition
from pipeline.study.sections import Metric, Task, Threshold
from pipeline.study.study import Study, digest_of

METRICS: tuple[str, ...] = get_args(Metric)
METRICS_AT_DECISION: tuple[str, ...] = (
    "precision",
    "recall",
    "f1",
    "specificity",
    "false_positive_rate",
    "false_negative_rate",
)
"""Metrics of a decision: they exist at each decision threshold of a task."""

DESCRIPTIONS: tuple[str, ...] = ("observed_rate", "mean_prediction")
"""Reported with the metrics, but not judged."""

_FILE_LAYOUT = ("file", "format", "encoding", "delimiter", "columns")


@dataclass(frozen=True)
class EvaluationPlan:
    """The Evaluator's task, as read from its execution property.

    Attributes:
        tasks: Decision thresholds of each task.
        slices: Names of the slicings.
        pairs: Pairs of slicings whose combinations are groups too.
        smallest_group: Fewest subjects with a known label that a group is shown for.
        thresholds: What a model must reach.
        split_seed: Seed of the division into splits.
        label_digest: Digest of the label definitions, see `label_digest`.
    """

    tasks: dict[str, tuple[float, ...]]
    slices: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    smallest_group: int
    thresholds: tuple[Threshold, ...]
    split_seed: int
    label_digest: str

    @property
    def slicings(self) -> tuple[tuple[str, ...], ...]:
        """All slicings as tuples of names; the empty one, overall, is the first."""
        return ((), *((name,) for name in self.slices), *self.pairs)

    @classmethod
    def from_json(cls, text: str) -> EvaluationPlan:
        """Reads what `evaluation_section` made, as JSON.

        Args:
            text: A JSON object.

        Returns:
            The plan.
        """
        content = json.loads(text)
        return cls(
            tasks={
                name: tuple(task["decision_thresholds"]) for name, task in content["tasks"].items()
            },
            slices=tuple(content["slices"]),
            pairs=tuple((first, second) for first, second in content["pairs"]),
            smallest_group=content["smallest_group"],
            thresholds=tuple(Threshold.model_validate(item) for item in content["thresholds"]),
            split_seed=content["split_seed"],
            label_digest=content["label_digest"],
        )


def evaluation_section(study: Study) -> dict[str, Any]:
    """The parts of a study that decide what the Evaluator computes and how it judges.

    Args:
        study: The study.

    Returns:
        JSON-like content; `EvaluationPlan.from_json` reads it.
    """
    return {
        "tasks": {
            name: {"decision_thresholds": _decision_thresholds(study, name, task)}
            for name, task in study.tasks.items()
        },
        "slices": list(study.slices.groups),
        "pairs": [list(pair) for pair in study.slices.pairs],
        "smallest_group": study.slices.smallest_group,
        "thresholds": [
            threshold.model_dump(mode="json", exclude_defaults=True)
            for threshold in study.thresholds
        ],
        "split_seed": study.split.seed,
        "label_digest": label_digest(study),
    }


def label_digest(study: Study) -> str:
    """Digest of everything that decides who is in the test split and what its labels mean.

    Two models are comparable on the same test subjects only if it is equal for both: it covers
    the tasks' conditions and horizons, who is in the trial, the landmark, how days are counted,
    codes for missing values in the columns concerned, and the division into splits. Titles,
    decision thresholds, features, slices and where files lie leave it unchanged.

    Args:
        study: The study.

    Returns:
        SHA-256 in hexadecimal.
    """
    content = study.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    names = {study.subject.dataset, *(name for name, _ in _label_columns(study))}
    datasets = {
        name: {
            key: value
            for key, value in content["datasets"][name].items()
            if key not in _FILE_LAYOUT
        }
        for name in sorted(names)
    }
    columns = {
        f"{dataset}.{column}": declared.model_dump(mode="json", exclude={"known"})
        for dataset, column in sorted(set(_label_columns(study)))
        if (declared := study.datasets[dataset].columns.get(column)) is not None
    }
    kept = ("study", "subject", "population", "window", "first_day", "landmark", "split")
    return digest_of(
        {
            **{key: content[key] for key in kept if key in content},
            "tasks": {
                name: {
                    key: value
                    for key, value in task.items()
                    if key not in ("title", "kind", "decision_thresholds")
                }
                for name, task in content["tasks"].items()
            },
            "datasets": datasets,
            "columns": columns,
        }
    )


def _decision_thresholds(study: Study, name: str, task: Task) -> list[float]:
    demanded = {
        threshold.decision_threshold
        for threshold in study.thresholds
        if threshold.decision_threshold is not None
        and (not threshold.tasks or name in threshold.tasks)
    }
    return sorted({*task.decision_thresholds, *demanded})


def _label_columns(study: Study) -> Iterator[tuple[str, str]]:
    for task in study.tasks.values():
        yield from _columns(study.subject.dataset, task.unknown_when)
        if task.event:
            yield from _columns(task.event.dataset, task.event.where)
            if task.event.follow_up:
                yield from _columns(task.event.follow_up.dataset, task.event.follow_up.where)
        if task.state:
            dataset = task.state.dataset or study.subject.dataset
            yield from _columns(dataset, task.state.where)
            yield from _columns(dataset, task.state.positive)


def _columns(dataset: str, condition: Condition | None) -> Iterator[tuple[str, str]]:
    if condition is not None:
        yield from ((dataset, column) for column in condition.columns())
