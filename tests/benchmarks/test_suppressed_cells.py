"""The benchmark counts what the analysis suppresses, part by part."""

from __future__ import annotations

from benchmarks.suppressed_cells import Row, table_row
from components.trial_analysis.disclosure import Disclosure
from components.trial_analysis.subjects import TrialSubjects
from tests.components.trial_analysis.hand_made_subjects import repeated, trial


def of_two_arms(placebo: tuple[tuple[str, int], ...], active: tuple[tuple[str, int], ...]) -> Row:
    """The row of a race in a trial with the races of these subjects."""
    subjects = trial_of(placebo, active)
    disclosure = Disclosure(subjects, 20)
    return table_row(subjects, disclosure, subjects.categories["RACE"], "race")


def trial_of(
    placebo: tuple[tuple[str, int], ...], active: tuple[tuple[str, int], ...]
) -> TrialSubjects:
    sizes = (sum(n for _, n in placebo), sum(n for _, n in active))
    races = [*repeated(*placebo), *repeated(*active)]
    outcome = repeated((True, sizes[0]), (False, sizes[1]))
    return trial(
        repeated(("Placebo", sizes[0]), ("Active", sizes[1])),
        characteristics={"RACE": races},
        outcomes={"death": outcome},
    )


def test_large_groups_are_all_shown() -> None:
    row = of_two_arms((("A", 50), ("B", 30)), (("A", 40), ("B", 40)))

    assert (row.cells, row.shown, row.whole) == (4, 4, 0)


def test_parts_are_counted_once_and_add_up_to_what_the_analysis_suppresses() -> None:
    placebo, active = (("A", 60), ("B", 30), ("C", 3)), (("A", 50), ("B", 40), ("C", 0))
    row = of_two_arms(placebo, active)
    subjects = trial_of(placebo, active)
    disclosure = Disclosure(subjects, 20)
    (factor,) = subjects.describing

    shown = [
        disclosure.shows_value(factor, level, "RACE", value)
        for level in ("Placebo", "Active")
        for value in ("A", "B", "C")
    ]

    assert row.too_small == 1
    assert row.by_subtraction >= 1
    assert row.zeros >= 1
    assert (row.cells, row.shown) == (6, sum(shown))
