"""Documents that stages write for others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.results.counts import Counts
from pipeline.results.documents import Metrics, Verdict, find_records, headline_metrics, read_result
from pipeline.titles import NAMES

RECORD: dict[str, Any] = {
    "task": "event",
    "slice": {},
    "metric": "auc",
    "decision_threshold": None,
    "model": "challenger",
    "value": 0.72,
    "lower": 0.65,
    "upper": 0.79,
    "subjects": 400,
    "positives": 80,
}


def metrics_of(*changes: dict[str, Any]) -> Metrics:
    records = [RECORD | change for change in changes]
    return Metrics.model_validate({"smallest_group": 10, "records": records, "suppressed": []})


def test_a_document_that_is_missing_is_named_with_its_stage(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"metrics\.json: .* TrialEvaluator is missing"):
        read_result(Metrics, str(tmp_path))


def test_a_document_of_another_form_is_reported_with_its_first_wrong_key(tmp_path: Path) -> None:
    content = {"datasets": {}, "tasks": {}, "subjects": {"train": -1}}
    (tmp_path / "counts.json").write_text(json.dumps(content))

    with pytest.raises(UserError, match=r"counts\.json: not what .*subjects\.train"):
        read_result(Counts, str(tmp_path))


def test_keys_of_a_later_release_are_ignored(tmp_path: Path) -> None:
    content = {"datasets": {}, "tasks": {}, "subjects": {"train": 7}, "later": 1}
    (tmp_path / "counts.json").write_text(json.dumps(content))

    assert read_result(Counts, str(tmp_path)).subjects == {"train": 7}


def test_headline_metrics_leave_out_what_is_undefined() -> None:
    metrics = metrics_of({}, {"metric": "calibration_slope", "value": None})

    assert headline_metrics(metrics.records) == {"event/auc": 0.72}


def test_records_are_found_by_task_metric_model_and_threshold() -> None:
    at = {"metric": "sensitivity", "decision_threshold": 0.5}
    metrics = metrics_of({}, {"slice": {"sex": "F"}}, {"model": "champion"}, at)

    assert [r.group_text for r in find_records(metrics.records, "event", "auc")] == [
        "overall",
        "sex F",
    ]
    assert len(find_records(metrics.records, "event", "sensitivity", decision_threshold=0.5)) == 1
    assert find_records(metrics.records, "event", "sensitivity") == []


VERDICT_OF_0_1_0: dict[str, Any] = {
    "blessed": False,
    "judged": True,
    "comparisons": 4,
    "reasons": [
        {
            "message": "event: auc in slice sex=F is 0.5 (0.4 to 0.6), below 0.55",
            "task": "event",
            "slice": {"sex": "F"},
            "metric": "auc",
            "decision_threshold": None,
            "model": "challenger",
            "value": 0.5,
            "lower": 0.4,
            "upper": 0.6,
            "threshold": {"metric": "auc", "at_least": 0.55, "where": "every_slice"},
        }
    ],
    "not_judged": [{"task": "event", "slice": {"sex": "U"}, "subjects": "<10"}],
    "notes": ["No champion: no model has been blessed before."],
}


def test_a_verdict_of_0_1_0_is_read(tmp_path: Path) -> None:
    (tmp_path / "verdict.json").write_text(json.dumps(VERDICT_OF_0_1_0))

    verdict = read_result(Verdict, str(tmp_path))

    assert (verdict.compared, verdict.comparisons, verdict.failed) == (4, None, 1)
    assert verdict.outcomes(0) is None
    assert verdict.reasons[0].threshold.scope == "every_slice"
    assert [item.group_text for item in verdict.not_judged] == ["sex U"]


def test_a_verdict_of_0_1_0_applies_to_each_task_by_its_own_refusals() -> None:
    verdict = Verdict.model_validate(VERDICT_OF_0_1_0)

    assert verdict.of_task("event").verdict == "refused"
    assert verdict.of_task("event").reason_texts(NAMES) == (
        VERDICT_OF_0_1_0["reasons"][0]["message"],
    )
    assert verdict.of_task("other").verdict == "blessed"
    assert verdict.decision == "refused"


def test_a_verdict_that_was_read_is_written_and_read_again() -> None:
    verdict = Verdict.model_validate(VERDICT_OF_0_1_0)

    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
