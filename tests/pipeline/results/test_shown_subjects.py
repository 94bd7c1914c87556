"""No few unknown labels follow by subtraction from the numbers of subjects that are shown."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.results.counts import Counts
from pipeline.results.linear_sums import determined_unknowns
from pipeline.results.shown_subjects import ShownSubjects, shown_subjects

SMALLEST = 20
SPLITS = ("train", "eval", "test")


def counts_of(subjects: dict[str, int], **unknown: dict[str, int]) -> Counts:
    """Counts with these subjects by split and these unknown labels by task and split."""
    tasks = {
        task: {
            split: {
                "known": n - by_split.get(split, 0),
                "positives": 0,
                "masked": {"rejected row": by_split.get(split, 0)},
            }
            for split, n in subjects.items()
        }
        for task, by_split in unknown.items()
    }
    rows = {
        "dm": {"rows_in": sum(subjects.values()), "used": sum(subjects.values()), "rejected": 0},
        "ae": {"rows_in": 40_000, "used": 40_000, "rejected": 0},
    }
    datasets = {name: {**numbers, "excluded": 0} for name, numbers in rows.items()}
    return Counts.model_validate({"datasets": datasets, "subjects": subjects, "tasks": tasks})


def shown(subjects: dict[str, int], **unknown: dict[str, int]) -> ShownSubjects:
    return shown_subjects(counts_of(subjects, **unknown), SMALLEST)


BY_SPLIT = {"train": 700, "eval": 150, "test": 160}


def test_all_numbers_are_shown_where_no_or_many_labels_are_unknown() -> None:
    everything = ShownSubjects(total=True, splits=frozenset(SPLITS))
    assert shown(BY_SPLIT, death={}) == everything
    assert shown(BY_SPLIT, death={"train": 90, "eval": 20, "test": 30}) == everything


def test_the_number_of_subjects_is_suppressed_where_few_labels_are_unknown() -> None:
    found = shown(BY_SPLIT, death={"train": 3})
    assert not found.total
    assert "train" not in found.splits


def test_another_split_is_suppressed_with_the_one_that_would_follow_from_the_total() -> None:
    found = shown(BY_SPLIT, death={"train": 90, "eval": 30, "test": 3})
    assert found == ShownSubjects(total=True, splits=frozenset({"train"}))


def test_out_of_fold_the_total_is_the_only_number() -> None:
    everyone = {"train": 1000, "eval": 0, "test": 0}
    found = shown(everyone, death={"train": 3})
    assert (found.total, "train" in found.splits) == (False, False)


def test_published_counts_leave_out_what_gives_few_unknown_labels_away() -> None:
    published = counts_of(BY_SPLIT, death={"train": 3}).published(SMALLEST)
    assert "train" not in published.subjects
    assert list(published.datasets) == ["ae"]
    assert published.tasks["death"]["train"].known == 697


splits_of_unknown = st.dictionaries(
    st.sampled_from(SPLITS), st.sampled_from([0, 1, 5, 12, 19, 20, 40]), max_size=3
)


@settings(max_examples=300)
@given(
    st.fixed_dictionaries({split: st.sampled_from([0, 60, 80, 300]) for split in SPLITS}),
    st.lists(splits_of_unknown, min_size=1, max_size=3),
)
def test_who_subtracts_learns_no_small_number_of_unknown_labels(
    subjects: dict[str, int], tasks: list[dict[str, int]]
) -> None:
    """The attacker knows all that is shown, and the number of known labels of every task."""
    unknown = {
        f"t{i}": {split: min(n, subjects[split]) for split, n in of.items()}
        for i, of in enumerate(tasks)
    }
    assume(any(subjects.values()))
    may_be = shown(subjects, **unknown)
    cells = {("total",): 0, **{(split,): i + 1 for i, split in enumerate(SPLITS)}}
    rows: list[dict[int, int]] = []
    hidden = {cells[split,] for split in SPLITS if split not in may_be.splits}
    if not may_be.total:
        hidden.add(0)
    parts = {0: 1, **{cells[split,]: -1 for split in SPLITS if subjects[split]}}
    rows.append({cell: c for cell, c in parts.items() if cell in hidden})
    small: dict[int, Any] = {}
    number = itertools.count(10)
    for task, by_split in unknown.items():
        for size in range(1, 4):
            for group in itertools.combinations(SPLITS, size):
                cell = next(number)
                total = sum(by_split.get(split, 0) for split in group)
                row = {cell: -1, **{cells[s,]: 1 for s in group if cells[s,] in hidden}}
                rows.append(row)
                if 0 < total < SMALLEST:
                    small[cell] = (task, group, total)
    learnt = determined_unknowns([row for row in rows if row]) & small.keys()
    assert not learnt, [small[cell] for cell in sorted(learnt)]


@pytest.mark.parametrize("smallest", [5, 20])
def test_the_smallest_group_itself_is_shown(smallest: int) -> None:
    counts = counts_of(BY_SPLIT, death={"train": smallest})
    assert shown_subjects(counts, smallest).total
    assert not shown_subjects(counts, smallest + 1).total
