"""Drafts: what is seen in the files is written down, what can't be seen is left to a person."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.draft.data_files import look_at
from pipeline.draft.study import draft_study
from pipeline.errors import UserError
from pipeline.study.load import parse_study
from tests.each import each
from tests.pipeline.draft.hand_made_files import patients, write_csv


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_csv(tmp_path / "data" / "patients.csv", patients())
    return tmp_path / "data"


def _draft(folder: Path) -> dict[str, Any]:
    return yaml.safe_load(draft_study(folder, "mytrial"))


def _decided(draft: dict[str, Any]) -> dict[str, Any]:
    """A draft whose title, arm and analysis a person has decided, but nothing of any column."""
    decided = draft | {"title": "My trial", "tasks": _HEALED, "analysis": {"randomised": True}}
    return decided | ({"arm": draft["arm"] | {"control": "control"}} if "arm" in draft else {})


_HEALED = {
    "healed": {
        "kind": "outcome",
        "title": "Healed",
        "state": {"positive": {"column": "HEALED", "equals": "Y"}},
    }
}


def test_study_without_decisions_is_refused(data: Path) -> None:
    text = draft_study(data, "mytrial")
    todo = [line for line in text.splitlines() if "TODO" in line and not line.startswith("#")]

    with pytest.raises(UserError) as refused:
        parse_study(yaml.safe_load(text), "study.yaml")

    reasons = str(refused.value).splitlines()
    assert all(reason.endswith("TODO is still to be decided.") for reason in reasons)
    assert len(reasons) == sum(line.partition("#")[0].count("TODO") for line in todo) > 5


def test_every_problem_is_reported_at_once(data: Path) -> None:
    """A file without tasks is refused with all its other problems."""
    draft = _decided(_draft(data))
    del draft["tasks"]
    draft["datasets"]["patients"]["known"] = "after"
    draft["landmark"] = {"day": -3}

    with pytest.raises(UserError) as refused:
        parse_study(draft, "study.yaml")

    reasons = str(refused.value).splitlines()
    assert "study.yaml: tasks: this key is missing." in reasons
    assert len([reason for reason in reasons if "so it can't be a feature" in reason]) == len(
        draft["features"]
    )
    assert any(reason.startswith("study.yaml: landmark.day") for reason in reasons)


def test_column_becomes_no_feature_until_a_person_says_when_it_is_known(data: Path) -> None:
    draft = _decided(_draft(data))
    del draft["features"]["HEALED"]
    del draft["datasets"]["patients"]["known"]

    with pytest.raises(UserError, match=r"say when column AGE is known .*\.AGE\.known"):
        parse_study(draft, "study.yaml")


def test_whole_dataset_says_when_its_columns_are_known(data: Path) -> None:
    draft = _decided(_draft(data))
    del draft["features"]["HEALED"]
    draft["datasets"]["patients"]["known"] = "baseline"
    draft["datasets"]["patients"]["columns"]["WEIGHT"]["known"] = "after"

    with pytest.raises(UserError) as refused:
        parse_study(draft, "study.yaml")

    assert [
        line for line in each(str(refused.value).splitlines()) if "known `after`" not in line
    ] == []
    del draft["features"]["WEIGHT"]
    assert parse_study(draft, "study.yaml").baseline_features


def test_nothing_is_ever_guessed_to_be_known(data: Path) -> None:
    columns = _draft(data)["datasets"]["patients"]["columns"].values()

    assert len(columns) == 10
    assert [column for column in columns if "known" in column] == []
    assert _draft(data)["datasets"]["patients"]["known"] == "TODO"


@pytest.mark.parametrize("name", ["days", "cens", "DTHFL", "EOSDT", "offtrt", "survival_time"])
def test_what_its_name_calls_an_outcome_is_known_after_and_no_feature(
    tmp_path: Path, name: str
) -> None:
    write_csv(tmp_path / "a.csv", [{"id": i, name: i % 2, "AGE": i / 2} for i in range(30)])

    draft = _draft(tmp_path)

    assert draft["datasets"]["a"]["columns"][name]["known"] == "after"
    assert list(draft["features"]) == ["AGE"]


def test_types_and_kinds_follow_from_the_values(data: Path) -> None:
    draft = _draft(data)
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


def test_subject_key_is_found_and_arm_and_site_are_proposed(data: Path) -> None:
    draft = _draft(data)

    assert draft["subject"] == {"dataset": "patients", "column": "PATNO"}
    assert draft["arm"] == {"columns": ["ARM"], "control": "TODO"}
    assert draft["site"] == {"column": "CENTRE"}


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


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " "])
def test_delimiter_is_recognised(tmp_path: Path, delimiter: str) -> None:
    write_csv(tmp_path / "a.txt", [{"id": i, "x": i / 2, "y": "v"} for i in range(5)], delimiter)

    [dataset] = look_at(tmp_path)

    assert dataset.format.delimiter == delimiter
    assert list(dataset.columns) == ["id", "x", "y"]


def test_codes_that_mean_missing_are_declared(tmp_path: Path) -> None:
    weights = ["61.5", "NA", "70.25", "."]
    write_csv(tmp_path / "a.csv", [{"id": i, "WT": w} for i, w in enumerate(weights)])

    dataset = _draft(tmp_path)["datasets"]["a"]

    assert dataset["missing"] == ["", ".", "NA"]
    assert dataset["columns"]["WT"]["type"] == "number"


def test_text_in_windows_1252_is_declared_as_such(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("id,city\n1,Köln\n2,Orléans\n".encode("windows-1252"))

    assert _draft(tmp_path)["datasets"]["a"]["encoding"] == "windows-1252"


def test_file_without_a_key_counts_its_rows(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [{"AGE": 50 + i % 3, "SEX": "F"} for i in range(6)])

    assert _draft(tmp_path)["subject"] == {"dataset": "a", "row_number": True}


@pytest.mark.parametrize("key", ["PATNO", "WHO"])
@pytest.mark.parametrize("numbered", [False, True])
def test_file_of_several_rows_a_subject_is_not_drafted_as_one_row_each(
    tmp_path: Path, key: str, numbered: bool
) -> None:
    rows = [
        {key if name == "PATNO" else name: value for name, value in patient.items()}
        | {"VISIT": visit, "HEALED": "Y" if visit else "N"}
        for patient in patients()
        for visit in range(2)
    ]
    write_csv(tmp_path / "a.csv", [({"id": i} if numbered else {}) | r for i, r in enumerate(rows)])

    text = draft_study(tmp_path, "mytrial")
    draft = yaml.safe_load(text)

    assert draft["subject"] == {"dataset": "subjects", "column": key}
    assert draft["datasets"]["a"]["rows"] == "many_per_subject"
    assert f"# {key} has 40 different values in 80 rows" in text
    assert "# subject: {dataset: NAME, row_number: true, rows_are_subjects: true}" in text
    subjects = draft["datasets"]["subjects"]
    assert (subjects["rows"], subjects["collapse"]) == ("one_per_subject", True)
    assert {"VISIT", "HEALED"}.isdisjoint(subjects["columns"])
    assert {"AGE", "ARM", "SEX"} <= set(subjects["columns"])


@pytest.mark.parametrize("key", ["participant_id", "MRN", "case_no", "PATNO"])
def test_every_name_of_a_subject_key_is_one_where_its_values_differ(
    tmp_path: Path, key: str
) -> None:
    write_csv(tmp_path / "a.csv", [{key: i, "AGE": 50 + i % 3} for i in range(6)])

    assert _draft(tmp_path)["subject"] == {"dataset": "a", "column": key}


def test_stroke_trial_is_drafted_with_a_row_for_each_subject(trial_data_dir: Path) -> None:
    draft = _draft(trial_data_dir / "ist")

    assert draft["subject"] == {"dataset": "ist", "row_number": True}


def test_file_with_several_rows_of_a_subject_asks_for_its_day_or_date(data: Path) -> None:
    visits = [
        {"PATNO": f"P-{i % 40:03d}", "PARAMCD": "SYSBP", "ADY": i, "ADT": "2021-04-01", "AVAL": i}
        for i in range(80)
    ]
    write_csv(data / "visits.csv", visits)

    dataset = _draft(data)["datasets"]["visits"]

    assert dataset["rows"] == "many_per_subject"
    assert dataset["parameter"] == "PARAMCD"
    assert dataset["day"] == "ADY"
    assert {"date", "known"}.isdisjoint(dataset)


@pytest.mark.parametrize("own_date", ["ASTDT", "VISITDT"])
def test_copies_of_the_subjects_dates_are_no_dates_of_rows(tmp_path: Path, own_date: str) -> None:
    subjects = [{"USUBJID": f"S{i}", "TRTSDT": "2021-03-01", "AGE": i / 2} for i in range(30)]
    write_csv(tmp_path / "adsl.csv", subjects)
    rows = [
        {"USUBJID": f"S{i % 30}", "TRTSDT": "2021-03-01", own_date: f"2021-04-{i % 28 + 1:02d}"}
        for i in range(60)
    ]
    write_csv(tmp_path / "adae.csv", rows)

    draft = _draft(tmp_path)

    assert draft["datasets"]["adae"]["date"] == own_date
    assert draft["subject"]["reference_date"] == "TRTSDT"


def test_dataset_that_keeps_its_testcd_has_one_parameter(tmp_path: Path) -> None:
    write_csv(tmp_path / "adsl.csv", [{"USUBJID": f"S{i}", "AGE": i / 2} for i in range(30)])
    rows = [
        {"USUBJID": f"S{i % 30}", "LBTESTCD": "ALT", "PARAMCD": "ALT", "ADY": i, "AVAL": i / 2}
        for i in range(60)
    ]
    write_csv(tmp_path / "adlb.csv", rows)

    assert draft_study(tmp_path, "mytrial").count("\n    parameter:") == 1
    assert _draft(tmp_path)["datasets"]["adlb"]["parameter"] == "PARAMCD"


def test_column_of_another_value_in_every_row_is_a_key_whatever_its_name(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [{"who": f"N{i:04d}", "AGE": i % 9 / 2} for i in range(40)])

    assert _draft(tmp_path)["subject"] == {"dataset": "a", "column": "who"}


def test_whole_numbers_of_another_value_in_every_row_are_no_feature(tmp_path: Path) -> None:
    rows = [{"id": i, "sample": 7919 * i % 104729, "AGE": i % 9 / 2} for i in range(120)]
    write_csv(tmp_path / "a.csv", rows)

    assert list(_draft(tmp_path)["features"]) == ["AGE"]


def test_columns_that_differ_in_a_number_of_their_name_have_one_kind(tmp_path: Path) -> None:
    rows = [{"id": i, "Apgar1": i % 4 + 4, "Apgar5": i % 11, "x": i / 2} for i in range(120)]
    write_csv(tmp_path / "a.csv", rows)

    features = _draft(tmp_path)["features"]

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


@pytest.mark.parametrize(
    "name",
    ["trt", "treatment", "rx", "arm", "TRT01P", "allocation", "group", "tx", "Rand_Arm", "drug"],
)
def test_arm_is_found_by_the_names_that_trials_use(tmp_path: Path, name: str) -> None:
    write_csv(tmp_path / "a.csv", [{"id": i, name: "AB"[i % 2], "x": i / 2} for i in range(40)])

    assert _draft(tmp_path)["arm"]["columns"] == [name]


def test_dataset_of_times_to_events_becomes_an_analysis(tmp_path: Path) -> None:
    subjects = [{"USUBJID": f"S{i}", "ARM": "AB"[i % 2], "AGE": i / 2} for i in range(40)]
    write_csv(tmp_path / "adsl.csv", subjects)
    rows = [
        {"USUBJID": f"S{i % 40}", "PARAMCD": "OS", "STARTDT": "2021-01-01", "ADT": "2021-02-03"}
        | {"AVAL": i, "CNSR": i % 2}
        for i in range(40)
    ]
    write_csv(tmp_path / "adtte.csv", rows)

    draft = _draft(tmp_path)

    assert draft["analysis"]["time_to_event"]["event"] == {
        "title": "TODO",
        "dataset": "adtte",
        "time": "AVAL",
        "event": {"column": "CNSR", "equals": 0},
    }


@pytest.mark.parametrize(
    ("columns", "day"),
    [
        (["VISITDY", "CMENDY", "CMSTDY"], "CMSTDY"),
        (["VISITDY", "MHDY"], "MHDY"),
        (["AENDY", "ASTDY"], "ASTDY"),
        (["VISITDY"], "VISITDY"),
    ],
)
def test_day_of_a_row_is_that_of_its_start(tmp_path: Path, columns: list[str], day: str) -> None:
    write_csv(tmp_path / "adsl.csv", [{"USUBJID": f"S{i}", "AGE": i / 2} for i in range(30)])
    rows = [{"USUBJID": f"S{i % 30}"} | dict.fromkeys(columns, i) for i in range(60)]
    write_csv(tmp_path / "events.csv", rows)

    assert _draft(tmp_path)["datasets"]["events"]["day"] == day


def test_draft_without_an_arm_says_how_to_name_one(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [{"id": i, "Z": i % 2, "x": i / 2} for i in range(40)])

    text = draft_study(tmp_path, "mytrial")

    assert "# arm: {columns: [COLUMN], control: LEVEL}" in text
    assert "# Columns of 2 to 6 levels: Z" in text


def test_time_and_status_become_a_task_and_an_analysis(tmp_path: Path) -> None:
    rows = [
        {"id": i, "arm": i % 2, "futime": 20 + i, "status": i % 3 == 0, "x": i / 2}
        for i in range(120)
    ]
    write_csv(tmp_path / "a.csv", rows)

    draft = _draft(tmp_path)
    [task] = draft["tasks"].values()

    assert task["event"]["day"] == task["event"]["follow_up"]["day"] == "futime"
    assert task["event"]["where"] == {"column": "status", "equals": "TODO"}
    assert task["horizon"] == draft["first_day"] == "TODO"
    assert task["event"]["landmark_day"] == "TODO"
    assert draft["analysis"]["time_to_event"]["event"]["time"] == "futime"


def test_draft_has_thresholds_so_that_chance_is_not_blessed(data: Path) -> None:
    thresholds = _draft(data)["thresholds"]

    assert {"metric": "auc", "at_least": 0.5, "holds": "bound"} in thresholds


def test_supplemental_qualifiers_are_attached_to_their_parent(tmp_path: Path) -> None:
    subjects = [{"USUBJID": f"S{i}", "AGE": 50.5 + i} for i in range(4)]
    write_csv(tmp_path / "dm.csv", subjects)
    qualifier = {"RDOMAIN": "DM", "IDVAR": "", "IDVARVAL": "", "QNAM": "SAFETY", "QVAL": "Y"}
    write_csv(tmp_path / "suppdm.csv", [{"USUBJID": f"S{i}"} | qualifier for i in range(4)])

    dataset = _draft(tmp_path)["datasets"]["suppdm"]

    assert dataset["supplements"] == "dm"
    assert dataset["rows"] == "many_per_subject"


def test_shards_of_one_dataset_become_one_pattern(tmp_path: Path) -> None:
    for shard in (0, 1):
        rows = [{"USUBJID": f"S{shard}{i}", "AGE": 50.5 + i} for i in range(3)]
        write_csv(tmp_path / "adam" / f"adsl-0000{shard}-of-00002.csv", rows)

    dataset = _draft(tmp_path)["datasets"]["adsl"]

    assert dataset["file"] == "adam/adsl*.csv"
    assert dataset["rows"] == "one_per_subject"


def test_file_that_can_not_be_read_is_left_out_with_a_reason(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (data / "broken.xpt").write_bytes(b"no transport file")

    datasets = _draft(data)["datasets"]

    assert list(datasets) == ["patients"]
    assert "Skipped" in caplog.text
    assert "broken.xpt" in caplog.text


def test_real_trial_in_sdtm_is_drafted_with_its_qualifiers(trial_data_dir: Path) -> None:
    draft = _draft(trial_data_dir / "cdisc_pilot01" / "sdtm")

    assert draft["subject"] == {"dataset": "dm", "column": "USUBJID"}
    assert draft["datasets"]["suppdm"]["supplements"] == "dm"
    assert draft["datasets"]["suppds"]["supplements"] == "ds"
    assert {n for n, d in draft["datasets"].items() if d["rows"] == "one_per_subject"} == {"dm"}


def test_folder_without_data_is_an_error_that_names_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no data file that can be read; expected \.xpt"):
        draft_study(tmp_path, "mytrial")


def test_data_without_a_row_per_subject_is_an_error(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_csv(tmp_path / f"{name}.csv", [{"USUBJID": "S1", "X": i} for i in range(3)])

    with pytest.raises(UserError, match="No file has one row for each subject"):
        draft_study(tmp_path, "mytrial")


_COLUMN_NAMES = st.lists(
    st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["C"])).filter(
        lambda name: name and not set(name) & set(',;|"')
    ),
    min_size=1,
    max_size=6,
    unique_by=str.strip,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(names=_COLUMN_NAMES)
def test_column_of_any_name_comes_through_yaml(tmp_path: Path, names: list[str]) -> None:
    columns = ["id", *(f"{name}_" for name in names)]
    rows = [dict.fromkeys(columns, i % 2) | {"id": i} for i in range(4)]
    write_csv(tmp_path / "a.csv", rows)

    draft = _draft(tmp_path)
    features = draft["features"]
    sources = {feature.get("column", name) for name, feature in features.items()}
    columns = [column.strip() for column in columns]

    assert list(draft["datasets"]["a"]["columns"]) == columns
    assert sources <= set(columns)
    assert all(re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name) for name in features)
    assert len(sources) == len(features)
