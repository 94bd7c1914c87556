"""Titles that a draft gives features: what the files and Define-XML call them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyreadstat
import pytest
import yaml

from pipeline.draft.study import draft_study
from pipeline.draft.titles import parameter_titles, title_of
from pipeline.study.sections import Feature
from tests.pipeline.draft.hand_made_files import draft_of, patients, write_csv
from tests.pipeline.draft.test_define_xml import DEFINE


def subjects(n: int = 30) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "USUBJID": [f"S{i}" for i in range(n)],
            "AGE": [40.5 + i for i in range(n)],
            "EDUCLVL": [6.0 + i % 9 for i in range(n)],
            "SEX": ["F", "M"] * (n // 2),
        }
    )


LABELS: list[str | None] = [
    "Unique Subject Identifier",
    "Age",
    "Years of Education",
    'Sex, "assigned"',
]


def write_xpt(path: Path) -> None:
    pyreadstat.write_xport(subjects(), path.with_suffix(".xpt"), column_labels=LABELS)


def write_dta(path: Path) -> None:
    pyreadstat.write_dta(subjects(), path.with_suffix(".dta"), column_labels=LABELS)


def write_sav(path: Path) -> None:
    pyreadstat.write_sav(subjects(), path.with_suffix(".sav"), column_labels=LABELS)


@pytest.mark.parametrize("write", [write_xpt, write_dta, write_sav])
def test_labels_of_a_file_are_titles(tmp_path: Path, write: Any) -> None:
    """A label that repeats the name is none."""
    write(tmp_path / "adsl")

    assert draft_of(tmp_path)["features"] == {
        "AGE": {"kind": "number"},
        "EDUCLVL": {"kind": "number", "title": "Years of Education"},
        "SEX": {"kind": "category", "title": 'Sex, "assigned"'},
    }


def test_labels_of_define_xml_are_titles_where_the_file_has_none(tmp_path: Path) -> None:
    write_csv(tmp_path / "dm.csv", patients())
    (tmp_path / "define.xml").write_text(DEFINE.format(minor="1"))

    features = draft_of(tmp_path)["features"]
    assert features["SEX"] == {"kind": "category", "title": "Sex of the subject"}
    assert features["AGE"] == {"kind": "number"}


def test_two_columns_of_one_label_have_one_title(tmp_path: Path) -> None:
    labels: list[str | None] = ["Subject", "Value", "Value", "Sex"]
    pyreadstat.write_dta(subjects(), tmp_path / "adsl.dta", column_labels=labels)

    titles = [feature.get("title") for feature in draft_of(tmp_path)["features"].values()]
    assert titles == ["Value", None, None]


def laboratory() -> list[dict[str, Any]]:
    """Three parameters of every subject, and one of nine subjects."""
    tests = {"ALB": "Albumin (g/L)", "BILI": "Bilirubin (umol/L)", "ODD": "Odd"}
    rows = [
        {"USUBJID": f"S{i}", "PARAMCD": code, "PARAM": text, "ADY": i, "AVAL": 1.5 + i}
        for i in range(30)
        for code, text in tests.items()
    ]
    rare = [row | {"PARAMCD": "RARE", "PARAM": "Rare (g/L)"} for row in rows[:27:3]]
    several = [row | {"PARAM": "Odder"} for row in rows if row["PARAMCD"] == "ODD"][:10]
    return rows + rare + several


def test_parameters_of_enough_rows_are_named_if_their_text_is_one() -> None:
    frame = pd.DataFrame(laboratory())
    columns = {str(name): pa.array(frame[name]) for name in frame}

    assert parameter_titles(columns) == {
        "ALB": "Albumin (g/L)",
        "BILI": "Bilirubin (umol/L)",
        "ODD": "",
    }
    assert parameter_titles({"AGE": pa.array([1, 2])}) == {}


def test_a_feature_for_each_parameter_needs_no_more_than_its_marks_removed(tmp_path: Path) -> None:
    pyreadstat.write_xport(subjects(), tmp_path / "adsl.xpt", column_labels=LABELS)
    write_csv(tmp_path / "adlb.csv", laboratory())

    lines = draft_study(tmp_path, "mine").splitlines()
    first = lines.index("  # last_adlb:")
    block = lines[first : lines.index("  #   }}", first) + 1]
    [(name, content)] = yaml.safe_load(
        "\n".join(re.sub("# ", "", line, count=1) for line in block)
    ).items()

    assert name == "last_adlb"
    assert Feature.model_validate(content).each == {
        "ALB": "Albumin (g/L)",
        "BILI": "Bilirubin (umol/L)",
        "ODD": "ODD",
    }


@pytest.mark.parametrize(
    ("label", "title"),
    [
        ("  Weight\t(kg)\n", "Weight (kg)"),
        ("Weight\u202e (kg)", "Weight (kg)"),
        ("weight", None),
        ("", None),
        ("Height (cm)", None),
        ("Gr\ufffdsse", None),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 79 + "…"),
    ],
)
def test_a_title_is_one_short_line(label: str, title: str | None) -> None:
    assert title_of(label, "WEIGHT", {"Height (cm)"}) == title
