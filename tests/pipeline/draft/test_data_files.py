"""Files of a folder become datasets of a draft."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pyreadstat
import pytest

from pipeline.draft.data_files import look_at
from pipeline.draft.study import draft_study
from pipeline.errors import UserError
from tests.pipeline.draft.hand_made_files import draft_of, write_csv


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " "])
def test_delimiter_is_recognised(tmp_path: Path, delimiter: str) -> None:
    write_csv(tmp_path / "a.txt", [{"id": i, "x": i / 2, "y": "v"} for i in range(5)], delimiter)

    [dataset] = look_at(tmp_path)

    assert dataset.format.delimiter == delimiter
    assert list(dataset.columns) == ["id", "x", "y"]


def test_text_in_windows_1252_is_declared_as_such(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("id,city\n1,Köln\n2,Orléans\n".encode("windows-1252"))

    assert draft_of(tmp_path)["datasets"]["a"]["encoding"] == "windows-1252"


def test_supplemental_qualifiers_are_attached_to_their_parent(tmp_path: Path) -> None:
    subjects = [{"USUBJID": f"S{i}", "AGE": 50.5 + i} for i in range(4)]
    write_csv(tmp_path / "dm.csv", subjects)
    qualifier = {"RDOMAIN": "DM", "IDVAR": "", "IDVARVAL": "", "QNAM": "SAFETY", "QVAL": "Y"}
    write_csv(tmp_path / "suppdm.csv", [{"USUBJID": f"S{i}"} | qualifier for i in range(4)])

    dataset = draft_of(tmp_path)["datasets"]["suppdm"]

    assert dataset["supplements"] == "dm"
    assert dataset["rows"] == "many_per_subject"


def test_shards_of_one_dataset_become_one_pattern(tmp_path: Path) -> None:
    for shard in (0, 1):
        rows = [{"USUBJID": f"S{shard}{i}", "AGE": 50.5 + i} for i in range(3)]
        write_csv(tmp_path / "adam" / f"adsl-0000{shard}-of-00002.csv", rows)

    dataset = draft_of(tmp_path)["datasets"]["adsl"]

    assert dataset["file"] == "adam/adsl*.csv"
    assert dataset["rows"] == "one_per_subject"


def test_file_that_can_not_be_read_is_left_out_with_a_reason(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (data / "broken.xpt").write_bytes(b"no transport file")

    datasets = draft_of(data)["datasets"]

    assert list(datasets) == ["patients"]
    assert "Skipped" in caplog.text
    assert "broken.xpt" in caplog.text


def test_real_trial_in_sdtm_is_drafted_with_its_qualifiers(trial_data_dir: Path) -> None:
    draft = draft_of(trial_data_dir / "cdisc_pilot01" / "sdtm")

    subject = {"dataset": "dm", "column": "USUBJID", "reference_date": "RFSTDTC"}
    assert draft["subject"] == subject
    assert draft["datasets"]["sv"]["date"] == "SVSTDTC"
    assert draft["datasets"]["suppdm"]["supplements"] == "dm"
    assert draft["datasets"]["suppds"]["supplements"] == "ds"
    assert {n for n, d in draft["datasets"].items() if d["rows"] == "one_per_subject"} == {"dm"}


def test_folder_without_data_is_an_error_that_names_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no data file that can be read; expected \.xpt"):
        draft_study(tmp_path, "mytrial")


def test_labels_of_a_statistical_file_are_shown(tmp_path: Path) -> None:
    frame = pd.DataFrame({"ID": [f"S{i}" for i in range(30)], "SEX": [1.0, 2.0] * 15})
    pyreadstat.write_dta(
        frame,
        tmp_path / "dm.dta",
        column_labels={"SEX": "Sex of the subject"},
        variable_value_labels={"SEX": {1: "Male", 2: "Female"}},
    )

    [line] = [line for line in draft_study(tmp_path, "mine").splitlines() if "SEX: {}" in line]

    assert "# Sex of the subject: number in 30 of 30 rows" in line
    assert "codes 1 = Male, 2 = Female" in line
    assert draft_of(tmp_path)["datasets"]["dm"]["format"] == "stata"


def test_each_visible_sheet_of_a_workbook_is_a_dataset(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for title in ("DM", "Lab values", "notes"):
        sheet = book.create_sheet(title)
        sheet.append(["ID", "AGE"])
        for number in range(30):
            sheet.append([f"S{number}", 40.5 + number])
    del book["Sheet"]
    book["notes"].sheet_state = "hidden"
    book.save(tmp_path / "export.xlsx")

    datasets = draft_of(tmp_path)["datasets"]

    assert {name: dataset["sheet"] for name, dataset in datasets.items()} == {
        "dm": "DM",
        "lab_values": "Lab values",
    }
    assert datasets["dm"]["file"] == "export.xlsx"
    assert datasets["dm"]["format"] == "excel"
