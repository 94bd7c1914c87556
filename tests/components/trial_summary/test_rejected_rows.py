"""Subjects of whom a rejected row may say otherwise have no known disposition or visit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from components.trial_summary.bucket import sum_up
from components.trial_summary.sums import UNKNOWN, Sums
from pipeline.reading.plan import plan_summary
from pipeline.results.trial_progress import COMPLETED
from pipeline.study.load import parse_study
from tests.components.trial_example_gen.hand_made_trial import Reading
from tests.components.trial_summary.trial_made_by_hand import SUMMARY, study_of, write_trial

DISPOSITION = {"dataset": "ds", "column": "DSDECOD", "completed": "DONE"}
WHERE = {"column": "DSCAT", "equals": "END"}


def sums_of(
    folder: Path,
    *,
    ds: Sequence[str] = (),
    qs: Sequence[str] = (),
    where: dict[str, Any] | None = None,
) -> Sums:
    """Sums of the trial; S00 and S40 have these dispositions and further measurements."""
    content = study_of().to_content()
    summary = {**SUMMARY, "disposition": {**DISPOSITION, **({"where": where} if where else {})}}
    text, number = {"type": "text"}, {"type": "number"}
    content["summary"] = summary
    content["datasets"]["ds"] = {
        **{"file": "ds.csv", "format": "csv", "rows": "many_per_subject", "day": "DSDY"},
        "columns": {"USUBJID": text, "DSDECOD": text, "DSCAT": text, "DSDY": number},
    }
    data = write_trial(folder)
    (data / "ds.csv").write_text("\n".join(["USUBJID,DSDECOD,DSCAT,DSDY", *ds]) + "\n")
    del content["datasets"]["qs"]["known"]
    content["datasets"]["qs"]["day"] = "QSDY"
    content["datasets"]["qs"]["columns"]["QSDY"] = number
    [header, *found] = (data / "qs.csv").read_text().splitlines()
    lines = [f"{header},QSDY", *(f"{row},5" for row in found), *qs]
    (data / "qs.csv").write_text("\n".join(lines) + "\n")
    study = parse_study(content, "the test")
    return sum_up(study, Reading(plan_summary(study, str(data))).joined).enrolled


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (["S00,DONE,END,5"], COMPLETED),
        (["S00,DONE,END,UNK"], UNKNOWN),
        (["S00,DONE,END,5", "S00,DIED,END,UNK"], UNKNOWN),
        (["S00,DONE,END,5", "S00,DONE,END,UNK"], COMPLETED),
        (["S00,DONE,END,5", "S00,,END,UNK"], COMPLETED),
        (["S00,DONE,END,5", "S00,DIED,VISIT,UNK"], COMPLETED),
        (["S00,DONE,END,5", "S00,DIED,,UNK"], UNKNOWN),
    ],
)
def test_a_rejected_disposition_leaves_its_subject_unknown_where_it_may_say_otherwise(
    tmp_path: Path, rows: list[str], reason: str
) -> None:
    sums = sums_of(tmp_path, ds=rows, where=WHERE)
    of_arm = {found: n for (arm, found), n in sums.dispositions.items() if arm == "A"}
    assert of_arm == ({COMPLETED: 1, UNKNOWN: 44} if reason == COMPLETED else {UNKNOWN: 45})


@pytest.mark.parametrize(
    ("row", "numbers"),
    [
        ("S00,Week 2,2,11,5", {"Week 2": 40, "Week 10": 40}),
        ("S00,Week 2,2,11,UNK", {"Week 2": 39, "Week 10": 40}),
        ("S00,,2,11,UNK", {"Week 2": 40, "Week 10": 40}),
        ("S00,Week 2,2,,UNK", {"Week 2": 40, "Week 10": 40}),
        ("S00,Week 4,4,11,UNK", {"Week 2": 40, "Week 10": 40}),
    ],
)
def test_a_rejected_measurement_leaves_the_mean_of_its_subject_and_visit_out(
    tmp_path: Path, row: str, numbers: dict[str, int]
) -> None:
    sums = sums_of(tmp_path, qs=[row])
    found = {
        visit: moments.number for (arm, _, visit), moments in sums.visits.items() if arm == "A"
    }
    assert found == numbers
