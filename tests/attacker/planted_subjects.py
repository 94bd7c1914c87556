"""Trials in which few subjects have something that others don't."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from components.trial_analysis.subjects import TrialSubjects
from pipeline.reading.examples import Categories
from tests.attacker.analysis_document import PRESENT
from tests.attacker.statements import MISSING, NEGATIVE, POSITIVE, UNKNOWN, Table, label_of
from tests.components.trial_analysis.hand_made_subjects import trial

Rows = Sequence[tuple[tuple[Any, ...], int]]
"""Arm, race, sex, dead, back and age of some subjects, with their number."""

PLANTED: Rows = (
    (("Placebo", "WHITE", "F", False, False, 51.0), 14),
    (("Placebo", "WHITE", "M", True, False, 52.0), 16),
    (("Placebo", "WHITE", "M", False, True, 52.0), 6),
    (("Active", "WHITE", "F", False, True, 53.0), 15),
    (("Active", "WHITE", "M", True, False, 54.0), 12),
    (("Placebo", "BLACK", "F", True, False, 55.0), 9),
    (("Placebo", "BLACK", "M", False, True, 55.0), 6),
    (("Active", "BLACK", "F", True, True, 57.0), 11),
    (("Active", "BLACK", "F", None, False, 56.0), 8),
    # One whose second outcome is unknown, one without an age, one of a race alone.
    (("Active", "WHITE", "F", True, None, 54.0), 1),
    (("Active", "BLACK", "M", False, None, math.nan), 1),
    (("Placebo", "ASIAN", "F", False, False, 58.0), 1),
)


def planted_trial(slicings: Collection[str]) -> TrialSubjects:
    """A trial of 100 subjects, three of whom stand alone.

    Args:
        slicings: Which of RACE and SEX form subgroups.
    """
    return trial_of(PLANTED, slicings)


def trial_of(rows: Rows, slicings: Collection[str]) -> TrialSubjects:
    """A trial of these subjects."""
    subjects = [profile for profile, number in rows for _ in range(number)]
    arm, race, sex, dead, back, age = (list(column) for column in zip(*subjects, strict=True))
    categories = {"RACE": race, "SEX": sex}
    return trial(
        arm,
        characteristics=categories,
        slicings={name: categories[name] for name in slicings},
        numbers={"AGE": age},
        outcomes={"dead": dead, "back": back},
    )


def table_of(subjects: TrialSubjects) -> Table:
    """The true table of a trial: arm, characteristics, slicings and labels of its subjects."""
    columns: dict[str, Sequence[str]] = {
        factor.name: _texts(factor.groups) for factor in subjects.factors
    }
    columns |= {name: _texts(column) for name, column in subjects.categories.items()}
    columns |= {name: _texts(column) for name, column in subjects.slicings.items()}
    columns |= {
        name: [MISSING if np.isnan(value) else PRESENT for value in values]
        for name, values in subjects.numbers.items()
    }
    for task, outcome in subjects.outcomes.items():
        columns[label_of(task)] = [
            (POSITIVE if positive else NEGATIVE) if known else UNKNOWN
            for positive, known in zip(outcome.positive, outcome.known, strict=True)
        ]
    return Table.of(columns)


def _texts(column: Categories) -> list[str]:
    return [MISSING if code < 0 else column.values[code] for code in column.codes]
