"""Opening the run that a notebook shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from notebooks.opened_run import open_run
from pipeline.errors import UserError
from tests.notebooks.hand_made_groups import RUN, hand_made_run, write_run


def test_the_variables_name_run_and_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_run(tmp_path)
    monkeypatch.setenv("RUN", RUN)
    monkeypatch.setenv("ROOT", str(tmp_path))

    assert open_run().folder == folder


def test_without_a_name_the_newest_run_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUN", raising=False)
    older = write_run(tmp_path)
    newer = older.with_name("20260401T120000.000000")
    newer.mkdir()
    (newer / "run.json").write_text((older / "run.json").read_text())

    assert open_run(root=tmp_path).folder == newer


def test_a_folder_without_runs_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUN", raising=False)

    with pytest.raises(UserError, match="There is no run below"):
        open_run(root=tmp_path)


def test_a_run_that_did_not_get_as_far_says_where_it_ended(tmp_path: Path) -> None:
    write_run(tmp_path, status="failed", failed_stage="TrialEvaluator")
    run = open_run(RUN, tmp_path)

    with pytest.raises(
        UserError, match="no verdict of TrialEvaluator: it ended as failed at TrialEvaluator"
    ):
        _ = run.metrics


def test_the_heading_names_study_and_run(tmp_path: Path) -> None:
    shown = hand_made_run(tmp_path).heading()._repr_html_()

    assert "A trial made by hand (hand)" in shown
    assert RUN in shown


def test_the_heading_warns_of_a_run_that_failed(tmp_path: Path) -> None:
    write_run(tmp_path, status="failed", failed_stage="TrialEvaluator")

    shown = open_run(RUN, tmp_path).heading()._repr_html_()

    assert "This run ended as failed at TrialEvaluator" in shown
