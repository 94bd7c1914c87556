"""Whether two studies' labels and splits are the same: the digest that says so."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.study.conditions import Condition
from pipeline.study.study import Study, digest_of

_FILE_LAYOUT = ("file", "format", "encoding", "delimiter", "columns")


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
