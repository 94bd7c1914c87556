"""What YAML reads as something else than a person sees is refused with the quoted form."""

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.study.load import load_study
from pipeline.study.shipped import find_study_file

STUDY = """
study: t
title: t
datasets:
  dm:
    file: dm.csv
    format: csv
    rows: one_per_subject
    columns:
      USUBJID: {type: text}
      DTHFL: {type: text}
      ARM: {type: text, known: baseline}
      AGE: {type: number, known: baseline, missing: [9]}
subject: {dataset: dm, column: USUBJID}
arm: {columns: [ARM], control: P}
features:
  AGE: {kind: number}
tasks:
  x: {kind: outcome, title: x, state: {positive: {column: DTHFL, equals: Y}}}
"""


def refusal(tmp_path: Path, old: str, new: str) -> str:
    assert old in STUDY
    path = tmp_path / "study.yaml"
    path.write_text(STUDY.replace(old, new))
    with pytest.raises(UserError) as caught:
        load_study(path)
    return str(caught.value)


def test_the_study_itself_loads(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    assert load_study(path).arm is not None


@pytest.mark.parametrize("written", ["NO", "no", "off", "Yes", "true", "NULL", "~", "2014-01-01"])
@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("missing: [9]", "missing: [9, {}]", "datasets.dm.columns.AGE.missing.1"),
        ("control: P", "control: {}", "arm.control"),
        ("equals: Y", "in: [Y, {}]", "tasks.x.state.positive.in.1"),
        ("columns: [ARM]", "columns: [{}]", "arm.columns.0"),
    ],
)
def test_a_value_that_is_no_text_without_quotes_is_refused_with_them(
    tmp_path: Path, written: str, old: str, new: str, key: str
) -> None:
    message = refusal(tmp_path, old, new.format(written))
    assert f"{key}: " in message
    assert f"YAML reads {written} without quotes as " in message
    assert f'write it in quotes if it is a text: "{written}"' in message


@pytest.mark.parametrize(
    ("written", "read"), [("010", "8"), ("0x1F", "31"), ("1_000", "1000"), ("12:30", "750")]
)
def test_a_number_that_yaml_reads_in_another_base_is_refused(
    tmp_path: Path, written: str, read: str
) -> None:
    message = refusal(tmp_path, "missing: [9]", f"missing: [{written}]")
    assert f"YAML reads {written} as {read}." in message
    assert f'"{written}"' in message


@pytest.mark.parametrize("written", ["NO", "on", "null", "1"])
def test_a_key_that_is_no_text_without_quotes_is_refused(tmp_path: Path, written: str) -> None:
    message = refusal(tmp_path, "ARM: {type", f"{written}: {{type")
    assert "line 12" in message
    assert f'write it in quotes if it is a text: "{written}"' in message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("missing: [9]", 'missing: ["N "]'),
        ("control: P", 'control: "P "'),
        ("equals: Y", 'equals: " Y"'),
        ("rows: one", 'missing: ["NA "]\n    rows: one'),
    ],
)
def test_a_text_that_no_trimmed_text_equals_is_refused(tmp_path: Path, old: str, new: str) -> None:
    assert "without outer blanks" in refusal(tmp_path, old, new)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("csv\n    decimal: ','", "`decimal` and `delimiter` are the same"),
        ("xpt\n    decimal: ','", "`decimal` is for `csv`"),
    ],
)
def test_a_decimal_point_that_can_not_be_is_refused(tmp_path: Path, new: str, said: str) -> None:
    assert said in refusal(tmp_path, "format: csv", f"format: {new}")


@pytest.mark.parametrize("name", ["synthetic", "ist", "actg175", "cdisc_pilot01"])
def test_the_shipped_studies_hold_no_such_value(name: str) -> None:
    assert load_study(find_study_file(name)).study
