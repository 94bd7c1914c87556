"""Codes of missing values that no row has are counted: the true code would be taken for a value."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from pipeline.errors import UserError
from pipeline.reading.formats import FileFormat
from pipeline.reading.missing_codes import MissingCodeFinder
from pipeline.results.absent_levels import absence_text, absent_codes
from tests.components.trial_example_gen.hand_made_trial import hand_made_study, make_trial


def absent(codes: list[Any], values: pa.Array, *, as_texts: bool) -> list[tuple[str, ...]]:
    study = hand_made_study({"datasets.lb.columns.LBSTRESN.missing": codes})
    found: Counter[tuple[str, ...]] = Counter()
    finder = MissingCodeFinder(study, "lb")
    for batch in (values[:1], values[1:]):
        found += finder.find("LBSTRESN", batch, as_texts=as_texts)
    plan: Any = SimpleNamespace(
        study=study,
        datasets={"lb": SimpleNamespace(names=["LBSTRESN", "LBTESTCD"], format=FileFormat("csv"))},
    )
    return [item.levels for item in absent_codes(plan, found)]


@pytest.mark.parametrize(
    ("codes", "values", "as_texts", "expected"),
    [
        ([9, 99], pa.array([1.0, 9.0, None]), False, [("99",)]),
        (["9"], pa.array([1.0, 9.0]), False, []),
        (["UNK"], pa.array([1.0, 9.0]), False, [("UNK",)]),
        ([9, 99], pa.array(["1", "09", None]), False, [("99",)]),
        (["UNK", "NK"], pa.array(["UNK", "A"]), True, [("NK",)]),
        (["9"], pa.array([1.0, 9.0]), True, []),
        ([9], pa.array([1.0, 2.0, None]), True, [("9",)]),
    ],
)
def test_codes_that_no_row_has_are_absent(
    codes: list[Any], values: pa.Array, as_texts: bool, expected: list[tuple[str, ...]]
) -> None:
    assert absent(codes, values, as_texts=as_texts) == expected


def test_an_absent_code_is_named_by_its_place_and_is_not_needed() -> None:
    study = hand_made_study({"datasets.lb.columns.LBSTRESN.missing": [99]})
    plan: Any = SimpleNamespace(
        study=study, datasets={"lb": SimpleNamespace(names=["LBSTRESN"], format=FileFormat("csv"))}
    )

    (item,) = absent_codes(plan, Counter())

    assert item.key == "datasets.lb.columns.LBSTRESN.missing"
    assert not item.needed


def absent_of_dataset(folder: Path, codes: list[str], *rows: str) -> list[tuple[str, ...]]:
    """Codes of dataset lb that no row has, read as its file."""
    lb = ["USUBJID,LBTESTCD,LBDY,LBSTRESN,LBNRIND", *rows]
    trial = make_trial(folder, {"datasets.lb.missing": codes}, lb=lb)
    found = absent_codes(trial.reading.plan, trial.reading.found_levels)
    return [(item.key, *item.levels) for item in found]


def test_codes_of_a_whole_dataset_that_no_row_has_are_absent(tmp_path: Path) -> None:
    rows = ["S1,ALT,1,NA,", "S2,ALT,2,4, ND "]
    key = "datasets.lb.missing"
    assert absent_of_dataset(tmp_path, ["", "NA", "UNK"], *rows) == [(key, "UNK")]
    assert absent_of_dataset(tmp_path, ["NA"], *rows) == []
    assert absent_of_dataset(tmp_path, ["na", "NK"], *rows) == [(key, "na", "NK")]


def test_an_absent_code_of_a_dataset_is_a_warning(tmp_path: Path) -> None:
    trial = make_trial(tmp_path, {"datasets.lb.missing": ["UNK"]})
    (item,) = absent_codes(trial.reading.plan, trial.reading.found_levels)
    assert not item.needed
    assert absence_text(item) == (
        "datasets.lb.missing: no row of dataset lb has UNK in any column that is read: the data "
        "may write the missing value in another way, which counts as a value. Name it as the data "
        "do (capitals, blanks and leading zeros count), or remove it from the study file."
    )


def test_codes_of_a_whole_dataset_are_for_delimited_text() -> None:
    changes = {"datasets.lb.format": "parquet", "datasets.lb.missing": ["NA"]}
    with pytest.raises(UserError, match="`missing` of a dataset is for `csv`"):
        hand_made_study(changes)
