"""Subjects of whom a rejected row may be an adverse event do not count as without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.results.trial_progress import ADVERSE_EVENTS, SHARE
from pipeline.study.load import parse_study
from tests.components.trial_summary.trial_made_by_hand import (
    rows,
    study_of,
    summarised,
    value,
    write_trial,
)


def summary_with(folder: Path, *events: str) -> dict[str, Any]:
    """The summary of the trial with these further rows of adverse events (with their day)."""
    content = study_of().to_content()
    described = content["datasets"]["ae"]
    del described["known"]
    described["day"] = "AEDY"
    described["columns"]["AEDY"] = {"type": "number"}
    data = write_trial(folder)
    [header, *found] = (data / "ae.csv").read_text().splitlines()
    lines = [f"{header},AEDY", *(f"{line},5" for line in found), *events]
    (data / "ae.csv").write_text("\n".join(lines) + "\n")
    return summarised(parse_study(content, "the test"), data, folder / "out")


def of_arm(summary: dict[str, Any], arm: str) -> float:
    return value(summary, ADVERSE_EVENTS, SHARE, arm=arm)


def test_who_may_have_had_an_event_is_not_among_those_without(tmp_path: Path) -> None:
    unreadable = [f"S{i:02d},SKIN,MILD,Y,UNK" for i in range(20, 32)]
    summary = summary_with(tmp_path, *unreadable)
    assert of_arm(summary, "A") == pytest.approx(20 / (45 - 12))
    assert of_arm(summary, "P") == pytest.approx(10 / 40)


def test_an_arm_of_which_few_may_have_had_an_event_is_not_shown(tmp_path: Path) -> None:
    summary = summary_with(tmp_path, "S20,SKIN,MILD,Y,UNK")
    assert rows(summary, ADVERSE_EVENTS, SHARE, arm="A") == []
    assert of_arm(summary, "P") == pytest.approx(10 / 40)
    reasons = [item["reason"] for item in summary["absent"] if item["section"] == ADVERSE_EVENTS]
    assert [reason.split(":")[0] for reason in reasons] == ["arm A"]


def test_a_rejected_row_that_is_no_adverse_event_changes_nothing(tmp_path: Path) -> None:
    summary = summary_with(tmp_path, "S20,SKIN,MILD,N,UNK")
    assert of_arm(summary, "A") == pytest.approx(20 / 45)


def _with_flags(folder: Path, *qualifiers: str) -> dict[str, Any]:
    """The summary of the trial whose flag of treatment-emergent events is a qualifier."""
    content = study_of().to_content()
    names = ("USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QVAL")
    content["datasets"]["suppae"] = {
        "file": "suppae.csv",
        "format": "csv",
        "rows": "many_per_subject",
        "supplements": "ae",
        "columns": {name: {"type": "text"} for name in names},
    }
    data = write_trial(folder)
    events = pd.read_csv(data / "ae.csv", dtype=str)
    events.insert(1, "AESEQ", [str(number) for number in range(1, len(events) + 1)])
    flags = [
        f"{row.USUBJID},AESEQ,{row.AESEQ},TRTEMFL,{row.TRTEMFL}" for row in events.itertuples()
    ]
    events.drop(columns="TRTEMFL").to_csv(data / "ae.csv", index=False)
    (data / "suppae.csv").write_text("\n".join([",".join(names), *flags, *qualifiers]) + "\n")
    return summarised(parse_study(content, "the test"), data, folder / "out")


def test_a_rejected_qualifier_may_make_an_event_one(tmp_path: Path) -> None:
    lost = [f"S{i},AESEQ,999,TRTEMFL,Y" for i in range(50, 62)]
    summary = _with_flags(tmp_path, *lost)
    assert of_arm(summary, "A") == pytest.approx(20 / 45)
    assert of_arm(summary, "P") == pytest.approx(10 / (40 - 12))


def test_a_rejected_qualifier_that_the_summary_does_not_ask_for_changes_nothing(
    tmp_path: Path,
) -> None:
    lost = [f"S{i},AESEQ,999,OTHER,Y" for i in range(50, 62)]
    assert of_arm(_with_flags(tmp_path, *lost), "P") == pytest.approx(10 / 40)
