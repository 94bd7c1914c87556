"""Two runs are compared number by number; renamed metrics are one metric."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.compare_runs import DOCUMENTS, Difference, compare, main


def record(metric: str, value: float, task: str = "response") -> dict[str, Any]:
    return {"task": task, "slice": {}, "metric": metric, "model": "challenger", "value": value}


def write_run(root: Path, metrics: list[dict[str, Any]]) -> None:
    folder = root / "trial" / "artifacts"
    outputs: dict[str, dict[str, str]] = {}
    for stage, output in DOCUMENTS.values():
        outputs.setdefault(stage, {})[output] = str(folder / stage / output)
    verdict = folder / "TrialEvaluator" / "verdict"
    verdict.mkdir(parents=True)
    (verdict / "metrics.json").write_text(json.dumps({"records": metrics}))
    records = root / "trial" / "records" / "r1"
    records.mkdir(parents=True)
    (records / "run.json").write_text(json.dumps({"status": "done", "outputs": outputs}))


def test_equal_documents_have_no_difference() -> None:
    assert compare({"a": [1.25, None]}, {"a": [1.25, None]}) == []


def test_the_last_digit_counts() -> None:
    (found,) = compare({"auc": 0.7275905118601748}, {"auc": 0.7275905118601749})
    assert found == Difference("auc", "0.7275905118601748", "0.7275905118601749")


def test_records_are_compared_by_what_they_are_of_and_not_by_their_order() -> None:
    old = [record("auc", 0.7), record("brier", 0.2)]
    assert compare(old, old[::-1]) == []


def test_a_renamed_metric_is_the_same_metric() -> None:
    assert compare([record("recall", 0.8)], [record("sensitivity", 0.8)]) == []
    (found,) = compare([record("recall", 0.8)], [record("sensitivity", 0.9)])
    assert (found.old, found.new) == ("0.8", "0.9")


def test_what_only_one_of_them_has_is_a_difference() -> None:
    (found,) = compare({"a": 1}, {"a": 1, "b": 2})
    assert found == Difference("b", None, "2")


def test_the_time_that_a_run_took_is_none_of_its_results() -> None:
    assert compare({"seconds": 1.0, "best_epoch": 3}, {"seconds": 2.0, "best_epoch": 3}) == []


@pytest.mark.parametrize(("new", "code"), [(0.7, 0), (0.71, 1)])
def test_the_exit_code_says_whether_two_roots_agree(tmp_path: Path, new: float, code: int) -> None:
    write_run(tmp_path / "old", [record("recall", 0.7)])
    write_run(tmp_path / "new", [record("sensitivity", new)])
    assert main([str(tmp_path / "old"), str(tmp_path / "new")]) == code


def test_roots_without_a_common_study_are_reported(tmp_path: Path) -> None:
    assert main([str(tmp_path / "old"), str(tmp_path / "new")]) == 2
