"""What procedures chose, as runs of before wrote it."""

from __future__ import annotations

from pathlib import Path

from pipeline.results.tuning import TUNING_FILE, read_tuning


def test_sets_may_be_called_candidates_as_earlier_runs_called_them(tmp_path: Path) -> None:
    (tmp_path / TUNING_FILE).write_text(
        '{"candidates": [{"hyperparameters": {"depth": 2}, "procedures": 5}]}'
    )
    found = read_tuning(str(tmp_path))
    assert found is not None
    assert found.procedures == 5
