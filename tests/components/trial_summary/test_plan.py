"""What is refused before a row is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.reading.plan import plan_summary
from tests.components.trial_summary.trial_made_by_hand import SUMMARY, study_of


def refusal(data: Path, **summary: Any) -> str:
    with pytest.raises(UserError) as caught:
        plan_summary(study_of(summary={**SUMMARY, **summary}), str(data))
    return str(caught.value)


def test_a_column_that_is_not_there_is_reported_with_the_nearest_one(data: Path) -> None:
    message = refusal(data, exposure={"days": "DAY"})
    assert "dm.csv: no column DAY (did you mean DAYS?)" in message
    assert "`summary.exposure.days`" in message


def test_text_where_a_number_is_needed_is_reported(data: Path) -> None:
    message = refusal(data, exposure={"days": "STATUS"})
    assert "summary.exposure.days: column STATUS holds text, expected a number" in message
    assert "datasets.dm.columns.STATUS.type" in message


def test_a_number_where_a_date_is_needed_is_reported(data: Path) -> None:
    assert "column DAYS holds number" in refusal(data, enrolment="DAYS")


def test_a_condition_that_does_not_fit_its_column_is_reported_with_its_place(data: Path) -> None:
    message = refusal(data, safety={"column": "STATUS", "equals": 1})
    assert message.startswith("summary.safety: column STATUS holds text")


def test_a_dataset_that_is_not_described_is_reported() -> None:
    with pytest.raises(UserError, match=r"summary\.adverse_events\.dataset: no dataset adae"):
        study_of(summary={**SUMMARY, "adverse_events": {"dataset": "adae"}})


def test_severities_need_their_order() -> None:
    events = {"dataset": "ae", "severity": "SEV"}
    with pytest.raises(UserError, match="its values from mild to severe"):
        study_of(summary={**SUMMARY, "adverse_events": events})


def test_a_folder_without_the_files_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Dataset dm: no file dm\.csv in"):
        plan_summary(study_of(), str(tmp_path))


def test_only_rows_that_are_asked_for_are_wanted(data: Path) -> None:
    plans = plan_summary(study_of(), str(data)).datasets
    assert [condition.column for condition in plans["ae"].wanted or ()] == ["TRTEMFL"]
    assert plans["qs"].wanted is None
