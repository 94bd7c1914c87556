"""The size of a small group can't be derived from the store by adding and subtracting."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from scipy.optimize import linprog
from sqlalchemy import create_engine, text

from pipeline.results.documents import Group, Metrics
from pipeline.results.registration import Registration
from pipeline.results.suppress import suppressed
from pipeline.store.engine import store_url
from pipeline.store.exported_study import ExportedStudy
from pipeline.store.rows import evaluation_rows
from pipeline.store.writer import export
from tests.pipeline.store.store_runs import curves, record, study, verdict

SMALLEST = 10
SEXES, AGES = ("F", "M", "U"), ("<65", ">=65")
SLICINGS = ((), ("sex",), ("age",), ("sex", "age"))
SUBJECTS = {
    ("F", "<65"): 40,
    ("F", ">=65"): 25,
    ("M", "<65"): 30,
    ("M", ">=65"): 4,
    ("U", "<65"): 12,
    ("U", ">=65"): 11,
}
"""Four men of 65 and older; all other subjects are in larger groups."""

OLD_MEN = "M, >=65"


def sizes() -> dict[Group, int]:
    """Subjects of every group: all, of a sex, of an age, of both."""
    found: Counter[Group] = Counter()
    for (sex, age), subjects in SUBJECTS.items():
        values = {"sex": sex, "age": age}
        for names in SLICINGS:
            found[tuple((name, values[name]) for name in names)] += subjects
    return dict(found)


def exported(address: str, hidden: dict[Group, str]) -> None:
    """A run whose Evaluator suppresses these groups."""
    shown = [
        record(slice=dict(group), subjects=size, positives=size // 2)
        for group, size in sizes().items()
        if group not in hidden
    ]
    content = {
        "smallest_group": SMALLEST,
        "records": shown,
        "suppressed": [
            {"task": "death", "slice": dict(group), "reason": reason}
            for group, reason in hidden.items()
        ],
    }
    registration = Registration(registered=True, reason=None)
    rows = evaluation_rows(
        "r1",
        ExportedStudy.of(study()),
        Metrics.model_validate(content),
        verdict(),
        curves(),
        registration,
    )
    export(address, rows)


def learned(address: str) -> tuple[float, float]:
    """Fewest and most old men that there can be, by all numbers of subjects in the store."""
    cells = list(itertools.product(SEXES, AGES))
    engine = create_engine(store_url(address))
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT slicing, slice, subjects FROM metrics")).all()
    engine.dispose()
    sums = np.array([[_belongs(cell, row.slicing, row.slice) for cell in cells] for row in rows])
    totals = [row.subjects for row in rows]
    old_men = np.array([float(cell == ("M", ">=65")) for cell in cells])
    fewest, most = (linprog(sign * old_men, A_eq=sums, b_eq=totals).fun * sign for sign in (1, -1))
    return fewest, most


def _belongs(cell: tuple[str, str], slicing: str, group: str) -> float:
    values = dict(zip(("sex", "age"), cell, strict=True))
    names = slicing.split(", ") if slicing else []
    return float([values[name] for name in names] == (group.split(", ") if slicing else []))


def test_a_suppressed_group_can_not_be_had_by_subtraction(sqlite: str) -> None:
    exported(sqlite, suppressed(sizes(), SLICINGS, SMALLEST))  # type: ignore[arg-type]

    fewest, most = learned(sqlite)
    assert fewest == pytest.approx(0)
    assert most > SMALLEST


def test_without_complementary_suppression_it_could_be_had(sqlite: str) -> None:
    """That the attack is one."""
    old_men: Group = (("sex", "M"), ("age", ">=65"))
    exported(sqlite, {old_men: "too_small"})

    assert learned(sqlite) == (pytest.approx(4), pytest.approx(4))


def test_no_text_or_number_of_a_suppressed_group_is_in_any_other_table(sqlite: str) -> None:
    exported(sqlite, suppressed(sizes(), SLICINGS, SMALLEST))  # type: ignore[arg-type]

    engine = create_engine(store_url(sqlite))
    with engine.connect() as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
        content = {
            name: str(connection.execute(text(f'SELECT * FROM "{name}"')).all())
            for (name,) in names
        }
    engine.dispose()
    assert [name for name, rows in content.items() if OLD_MEN in rows] == ["suppressed_groups"]
