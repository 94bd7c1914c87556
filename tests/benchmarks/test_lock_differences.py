"""Two runs are compared metric by metric, and their examples byte by byte."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.lock_differences import main


def record(metric: str, value: float | None, upper: float | None, task: str = "a") -> Any:
    names: dict[str, Any] = {
        "task": task,
        "slice": {},
        "metric": metric,
        "decision_threshold": None,
    }
    return {**names, "model": "challenger", "versus": None, "value": value} | {
        "lower": None,
        "upper": upper,
    }


def write_run(root: Path, *records: Any, example: bytes = b"a subject") -> Path:
    artifacts = root / "trial" / "artifacts"
    verdict = artifacts / "TrialEvaluator" / "verdict" / "7"
    verdict.mkdir(parents=True)
    (verdict / "metrics.json").write_text(json.dumps({"records": records}))
    split = artifacts / "TrialExampleGen" / "examples" / "2" / "Split-train"
    split.mkdir(parents=True)
    (split / "data-00000-of-00001.gz").write_bytes(gzip.compress(example))
    return root


def compared(*roots: Path) -> int:
    return main([*map(str, roots), "--study", "trial"])


def test_the_largest_difference_of_a_value_or_bound_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = record("auc", 0.75, 0.875), record("auc", 0.5, None, "b"), record("brier", 0.25, None)
    theirs = record("auc", 0.625, 0.625), record("auc", 0.5, None, "b"), record("brier", 0.25, None)

    code = compared(write_run(tmp_path / "1", *ours), write_run(tmp_path / "2", *theirs))

    shown = capsys.readouterr().out
    assert code == 0
    assert "examples of all splits: the same bytes" in shown
    assert "| auc | 3 | 0 | 1.2e-01 | 2.5e-01 | 0 of 0 |" in shown
    assert "| brier | 1 | 0 | 0.0e+00 | 0.0e+00 | 0 of 0 |" in shown


def test_numbers_of_groups_that_are_shown_in_steps_are_counted_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    women = {"slice": {"sex": "F"}}
    ours = record("auc", 0.75, 0.85) | women, record("brier", 0.1234567891, None) | women
    theirs = record("auc", 0.76, 0.85) | women, record("brier", 0.1234567892, None) | women

    compared(write_run(tmp_path / "1", *ours), write_run(tmp_path / "2", *theirs))

    shown = capsys.readouterr().out
    assert "| auc | 2 | 0 | 0.0e+00 | 0.0e+00 | 1 of 2 |" in shown
    assert "| brier | 1 | 0 | 0.0e+00 | 1.0e-10 | 0 of 0 |" in shown


def test_other_examples_are_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    roots = [
        write_run(tmp_path / text, record("auc", 0.5, None), example=text.encode())
        for text in ("one", "two")
    ]

    assert compared(*roots) == 1
    assert "DIFFERENT" in capsys.readouterr().out


def test_a_number_of_one_run_alone_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    roots = [
        write_run(tmp_path / name, record("auc", 0.5, None), record("f1", value, None))
        for name, value in (("1", 0.25), ("2", None))
    ]

    assert compared(*roots) == 0
    assert "| f1 | 0 | 1 | 0.0e+00 | 0.0e+00 | 0 of 0 |" in capsys.readouterr().out


def test_a_metric_of_one_run_alone_is_no_difference_of_floating_point(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    roots = [write_run(tmp_path / name, record(name, 0.5, None)) for name in ("auc", "brier")]

    assert compared(*roots) == 2
    assert "2 metrics are in one of the runs alone" in caplog.text


def test_a_root_of_several_runs_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    roots = [write_run(tmp_path / name, record("auc", 0.5, None)) for name in ("1", "2")]
    again = roots[0] / "trial" / "artifacts" / "TrialExampleGen" / "examples" / "9"
    again.mkdir()

    assert compared(*roots) == 2
    assert "expected one finished run, found 2" in caplog.text
