"""Who is flagged beside what the training subjects had."""

from __future__ import annotations

import numpy as np

from pipeline.reading.examples import Categories, ExampleColumns
from pipeline.results.scoring import MISSING_VALUE, OUT_OF_RANGE, UNKNOWN_CATEGORY
from pipeline.skew.flags import flags_of_values
from pipeline.skew.training_values import SeenValues


def flagged(columns: ExampleColumns, **seen: SeenValues) -> dict[tuple[str, str | None], list[int]]:
    """Places of the subjects with each flag."""
    return {flag: np.flatnonzero(who).tolist() for flag, who in flags_of_values(columns, seen)}


def ages(*values: float) -> ExampleColumns:
    return ExampleColumns(len(values), {"AGE": np.array(values, np.float32)}, {})


def sexes(codes: list[int], *values: str) -> ExampleColumns:
    return ExampleColumns(
        len(codes), {}, {"SEX": Categories(np.array(codes, np.int32), tuple(values))}
    )


def test_a_number_beyond_the_range_is_flagged_and_its_ends_are_not() -> None:
    found = flagged(ages(39.9, 40, 70, 70.1), AGE=SeenValues(40.0, 70.0))

    assert found[OUT_OF_RANGE, "AGE"] == [0, 3]


def test_a_missing_number_is_flagged_where_no_training_subject_lacked_it() -> None:
    missing = ages(50, np.nan)

    assert flagged(missing, AGE=SeenValues(40, 70, always_present=True)) == {
        (OUT_OF_RANGE, "AGE"): [],
        (MISSING_VALUE, "AGE"): [1],
    }
    assert flagged(missing, AGE=SeenValues(40, 70))[MISSING_VALUE, "AGE"] == []


def test_a_category_that_no_training_subject_had_is_flagged() -> None:
    found = flagged(
        sexes([0, 2, -1, 1], "F", "M", "X"), SEX=SeenValues(categories=frozenset({"F", "M"}))
    )

    assert found == {(UNKNOWN_CATEGORY, "SEX"): [1], (MISSING_VALUE, "SEX"): []}


def test_where_the_categories_are_not_known_none_is_unknown() -> None:
    assert flagged(sexes([0], "X"), SEX=SeenValues())[UNKNOWN_CATEGORY, "SEX"] == []


def test_a_feature_that_the_model_does_not_read_is_not_flagged() -> None:
    assert flagged(ages(1.0)) == {}
