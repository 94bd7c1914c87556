"""Counts labels, and lays the counts of rows, subjects and labels out as `counts.json`.

Counters of many workers are added: what they count has a key of a few words.

- ("datasets", dataset, what) and ("reasons", dataset, reason): rows.
- ("subjects", split): subjects.
- ("tasks", task, split, arm, what): labels, `what` being `known`, `positives` or ("masked") the
  reason; each subject is counted once, under its arm ("" where the study file names none).
- ("features", feature): subjects whose feature is missing because of a rejected row.
- ("qualifiers", dataset, qualifier): values.
- ("levels", dataset, column, value) and ("values", dataset, column, hash): values that the study
  file names and that were found, and different values of columns that lack one (`LevelFinder`).
- ("problems", text): what a person has to fix.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.trial_example_gen.masks import REASONS, Labels
from pipeline.names import SPLITS
from pipeline.results.censoring import CensoredTask
from pipeline.results.counts import AbsentLevels, ArmLabelCounts, Counts, DatasetCounts, LabelCounts

_NO_ARM = ""


def count_labels(
    splits: NDArray[Any], arms: NDArray[Any] | None, labels: Mapping[str, Labels]
) -> Counter[tuple[str, ...]]:
    """Counts the subjects of each split, and the labels of each task, split and arm.

    Args:
        splits: Split of each subject, shape [n].
        arms: Arm of each subject, shape [n]; None where the study has no arms.
        labels: Labels by task.
    """
    counts: Counter[tuple[str, ...]] = Counter()
    names, codes = (
        (np.array([_NO_ARM]), np.zeros(len(splits), np.int64))
        if arms is None
        else np.unique(arms, return_inverse=True)
    )
    for split in SPLITS:
        inside = splits == split
        counts["subjects", split] = int(inside.sum())
        for number, arm in enumerate(names):
            of_arm = inside & (codes == number)
            for task, found in labels.items():
                key = ("tasks", task, split, str(arm))
                counts[*key, "known"] = int((found.known & of_arm).sum())
                counts[*key, "positives"] = int((found.positive & of_arm).sum())
                masked = np.bincount(found.reason[of_arm], minlength=len(REASONS) + 1)[1:]
                for reason, n in zip(REASONS, masked.tolist(), strict=True):
                    if n:
                        counts[*key, str(reason)] = n
    return counts


def counts_document(
    counter: Counter[tuple[str, ...]],
    datasets: Iterable[str],
    absent: Iterable[AbsentLevels] = (),
    censoring: Mapping[str, CensoredTask] | None = None,
) -> Counts:
    """Lays merged counters out as `counts.json`.

    Args:
        counter: All counts.
        datasets: Names of the datasets.
        absent: Values that the study file names and no row has.
        censoring: Follow-up of the tasks that have some.
    """
    found = sorted(counter.items())
    return Counts(
        datasets={
            name: DatasetCounts(
                rows_in=counter["datasets", name, "rows_in"],
                used=counter["datasets", name, "used"],
                excluded=counter["datasets", name, "excluded"],
                rejected=counter["datasets", name, "rejected"],
                reasons={key[2]: n for key, n in found if key[:2] == ("reasons", name)},
            )
            for name in datasets
        },
        subjects={key[1]: n for key, n in found if key[0] == "subjects"},
        tasks=_tasks(found),
        features={key[1]: n for key, n in found if key[0] == "features"},
        qualifiers={f"{key[1]}.{key[2]}": n for key, n in found if key[0] == "qualifiers"},
        absent_levels=tuple(absent),
        censoring=dict(censoring or {}),
        problems=tuple(sorted(key[1] for key in counter if key[0] == "problems")),
    )


def _tasks(found: Iterable[tuple[tuple[str, ...], int]]) -> dict[str, dict[str, LabelCounts]]:
    by_split: dict[str, dict[str, dict[str, Counter[str]]]] = {}
    for key, n in found:
        if key[0] == "tasks":
            _, task, split, arm, what = key
            arms = by_split.setdefault(task, {}).setdefault(split, {})
            arms.setdefault(arm, Counter())[what] = n
    return {
        task: {split: _labels(arms) for split, arms in splits.items()}
        for task, splits in by_split.items()
    }


def _labels(arms: Mapping[str, Counter[str]]) -> LabelCounts:
    overall = sum(arms.values(), Counter[str]())
    return LabelCounts(
        **_of_arm(overall).model_dump(),
        arms={arm: _of_arm(counts) for arm, counts in arms.items() if arm != _NO_ARM},
    )


def _of_arm(counts: Counter[str]) -> ArmLabelCounts:
    masked = {str(reason): counts[reason] for reason in REASONS if counts[reason]}
    return ArmLabelCounts(known=counts["known"], positives=counts["positives"], masked=masked)
