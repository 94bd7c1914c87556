"""Values that the study file names and no row of the files has are found while reading."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reading.levels import MOST_LEVELS, LevelFinder
from pipeline.results.absent_levels import absent_levels
from pipeline.results.counts import AbsentLevels
from pipeline.study.levels import named_levels
from pipeline.study.study import Study
from tests.components.trial_example_gen.hand_made_trial import hand_made_study
from tests.each import each

LABORATORY: dict[str, Any] = {
    "kind": "number",
    "dataset": "lb",
    "column": "LBSTRESN",
    "each": ["ALT", "ALP"],
    "aggregate": "last",
}


def found(study: Study, dataset: str, *batches: pa.Table) -> Counter[tuple[str, ...]]:
    finder = LevelFinder(dataset, [n for n in named_levels(study) if n.dataset == dataset])
    return sum((finder.find(batch) for batch in batches), Counter[tuple[str, ...]]())


def absent_of(
    study: Study, counts: Counter[tuple[str, ...]], *qualifiers: str
) -> list[AbsentLevels]:
    """Named values that were not found; qualifiers hold some of the columns."""
    plan: Any = SimpleNamespace(
        datasets={
            dataset: SimpleNamespace(
                levels=[n for n in named_levels(study) if n.dataset == dataset],
                qualifiers=qualifiers,
            )
            for dataset in study.datasets
        }
    )
    return list(absent_levels(plan, counts))


def codes(*names: str | None) -> pa.Table:
    return pa.table({"LBTESTCD": pa.array(names, pa.string())})


def test_a_parameter_that_no_row_has_is_absent_with_the_number_of_values_found() -> None:
    study = hand_made_study({"features.laboratory": LABORATORY})
    counts = found(study, "lb", codes("ALT", "AST", None), codes("AST", "BILI"))

    absent = [item for item in absent_of(study, counts) if item.dataset == "lb"]

    assert [(item.key, item.levels, item.present, item.needed) for item in absent] == [
        ("features.laboratory.each", ("ALP",), 1, True)
    ]
    assert absent[0].found == 3


def test_values_do_not_travel_in_the_counters() -> None:
    study = hand_made_study({"features.laboratory": LABORATORY})

    counts = found(study, "lb", codes("ALT", "SECRET"))

    assert not any("SECRET" in part for key in each(counts) for part in key)


def test_columns_that_hold_all_named_values_are_counted_no_further() -> None:
    study = hand_made_study()

    counts = found(study, "lb", codes("ALT"), codes("ALT", "AST"))

    assert counts == {("levels", "lb", "LBTESTCD", "'ALT'"): 1}


def test_a_column_of_many_values_is_counted_up_to_a_limit() -> None:
    study = hand_made_study()
    counts = found(study, "lb", *(codes(*(f"T{i}" for i in range(k, k + 900))) for k in (0, 900)))

    (absent,) = [item for item in absent_of(study, counts) if item.dataset == "lb"]

    assert absent.found == MOST_LEVELS


def test_of_a_column_that_qualifiers_hold_nothing_is_said() -> None:
    study = hand_made_study()

    absent = absent_of(study, Counter(), "LBTESTCD", "DIED")

    assert absent == []


@pytest.mark.parametrize(
    ("condition", "needed"),
    [
        ({"column": "SEX", "in": ["F", "X"]}, False),
        ({"column": "SEX", "in": ["X", "Z"]}, True),
        ({"not": {"column": "SEX", "equals": "X"}}, False),
    ],
)
def test_a_condition_needs_one_of_its_values_unless_it_excludes_them(
    condition: dict[str, Any], needed: bool
) -> None:
    study = hand_made_study({"population": condition})
    dm = pa.table({"SEX": ["F", "M"], "DIED": ["Y", "N"]})

    (absent,) = absent_of(study, found(study, "dm", dm), "LBTESTCD")

    assert (absent.key, absent.column, absent.needed) == ("population", "SEX", needed)


@given(
    st.lists(st.lists(st.sampled_from([1.0, 2.0, 3.5, None]), max_size=5), max_size=4),
    st.lists(st.sampled_from([1, 2, 3.5]), min_size=1, max_size=3, unique=True),
)
def test_a_number_is_absent_exactly_if_no_row_has_it(
    batches: list[list[float | None]], levels: list[float]
) -> None:
    study = hand_made_study({"population": {"column": "AGE", "in": levels}})
    tables = [pa.table({"AGE": pa.array(batch, pa.float64())}) for batch in batches]
    counts = found(study, "dm", *tables)

    absent = {
        level for item in absent_of(study, counts, "LBTESTCD", "DIED") for level in item.levels
    }

    there = {value for batch in batches for value in batch}
    assert absent == {str(level) for level in levels if level not in there}
