"""Types, kinds and missing codes of a draft follow from the values of the columns."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipeline.draft.study import draft_study
from tests.pipeline.draft.hand_made_files import draft_of, write_csv


@pytest.mark.parametrize("name", ["days", "cens", "DTHFL", "EOSDT", "offtrt", "survival_time"])
def test_what_its_name_calls_an_outcome_is_known_after_and_no_feature(
    tmp_path: Path, name: str
) -> None:
    write_csv(tmp_path / "a.csv", [{"id": i, name: i % 2, "AGE": i / 2} for i in range(30)])

    draft = draft_of(tmp_path)

    assert draft["datasets"]["a"]["columns"][name]["known"] == "after"
    assert list(draft["features"]) == ["AGE"]


def test_types_and_kinds_follow_from_the_values(data: Path) -> None:
    draft = draft_of(data)
    columns = draft["datasets"]["patients"]["columns"]

    assert {name: column["type"] for name, column in columns.items()} == {
        "PATNO": "text",
        "CENTRE": "text",
        "ARM": "text",
        "AGE": "number",
        "SEX": "text",
        "SMOKER": "text",
        "WEIGHT": "number",
        "ENTERED": "date",
        "REMARK": "text",
        "HEALED": "text",
    }
    assert draft["features"] == {
        "AGE": {"kind": "number"},
        "SEX": {"kind": "category"},
        "SMOKER": {"kind": "category"},
        "WEIGHT": {"kind": "number"},
        "HEALED": {"kind": "category"},
    }


def test_no_value_of_a_patient_stands_in_a_draft(data: Path) -> None:
    text = draft_study(data, "mytrial")

    for value in ("P-001", "bicycle", "2021-03", "47.5"):
        assert value not in text


def test_levels_are_named_where_many_subjects_share_them(tmp_path: Path) -> None:
    rows = [{"id": i, "ARM": "AB"[i % 2], "RACE": "rare" if i < 3 else "usual"} for i in range(40)]
    write_csv(tmp_path / "a.csv", rows)

    text = draft_study(tmp_path, "mytrial")

    assert '# ARM: "A" (20 rows), "B" (20 rows)' in text
    assert "usual (37 rows) and 1 rarer" in text
    assert '"rare"' not in text


def test_codes_that_mean_missing_are_declared(tmp_path: Path) -> None:
    weights = ["61.5", "NA", "70.25", "."]
    rows = [{"id": i, "WT": w, "HT": w} for i, w in enumerate(weights)]
    write_csv(tmp_path / "a.csv", rows)

    dataset = draft_of(tmp_path)["datasets"]["a"]

    assert dataset["missing"] == ["", ".", "NA"]
    assert dataset["columns"]["WT"]["type"] == "number"


def test_whole_numbers_of_another_value_in_every_row_are_no_feature(tmp_path: Path) -> None:
    rows = [{"id": i, "sample": 7919 * i % 104729, "AGE": i % 9 / 2} for i in range(120)]
    write_csv(tmp_path / "a.csv", rows)

    assert list(draft_of(tmp_path)["features"]) == ["AGE"]


def test_columns_that_differ_in_a_number_of_their_name_have_one_kind(tmp_path: Path) -> None:
    rows = [{"id": i, "Apgar1": i % 4 + 4, "Apgar5": i % 11, "x": i / 2} for i in range(120)]
    write_csv(tmp_path / "a.csv", rows)

    features = draft_of(tmp_path)["features"]

    assert (features["Apgar1"], features["Apgar5"]) == ({"kind": "number"}, {"kind": "number"})


def test_namibia_is_a_country_where_na_elsewhere_is_missing(tmp_path: Path) -> None:
    rows = [
        {"id": f"P{i}", "COUNTRY": ("NA", "ZA", "BW")[i % 3], "WT": "NA" if i == 5 else 60.5 + i}
        for i in range(30)
    ]
    write_csv(tmp_path / "a.csv", rows)

    text = draft_study(tmp_path, "mytrial")
    dataset = yaml.safe_load(text)["datasets"]["a"]

    assert "missing" not in dataset
    assert dataset["columns"]["WT"]["missing"] == ["NA"]
    assert "missing" not in dataset["columns"]["COUNTRY"]
    assert "BW (10 rows), NA (10 rows), ZA (10 rows)" in text
    assert "NA in 10 rows is a value here" in text


@pytest.mark.parametrize("name", ["ADY", "AVAL", "LBSTRESN", "AGE", "OS_MONTHS", "futime_days"])
def test_quantity_by_its_name_is_a_number_however_few_values_it_has(
    tmp_path: Path, name: str
) -> None:
    write_csv(tmp_path / "a.csv", [{"id": i, name: 14 * (i % 2) + 1} for i in range(30)])

    assert draft_of(tmp_path)["datasets"]["a"]["columns"][name]["type"] == "number"


def test_code_of_one_column_is_declared_there(tmp_path: Path) -> None:
    rows = [{"id": i, "WT": "NA" if i == 3 else i / 2, "HT": i / 4} for i in range(30)]
    write_csv(tmp_path / "a.csv", rows)

    dataset = draft_of(tmp_path)["datasets"]["a"]

    assert "missing" not in dataset
    assert dataset["columns"]["WT"] == {"type": "number", "missing": ["NA"]}


def test_codes_that_are_written_in_several_ways_are_read_as_numbers(tmp_path: Path) -> None:
    rows = [{"id": i, "STAGE": ("1", "1.0", "2", "2.0")[i % 4]} for i in range(40)]
    write_csv(tmp_path / "a.csv", rows)

    text = draft_study(tmp_path, "mytrial")

    assert yaml.safe_load(text)["datasets"]["a"]["columns"]["STAGE"]["type"] == "number"
    assert "one number is written in several ways" in text
