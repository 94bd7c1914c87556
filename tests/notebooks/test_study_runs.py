"""The runs of a study beside each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow_data_validation as tfdv

from notebooks.data.drift import drift_since
from notebooks.opened_run import open_run
from notebooks.study_runs import ComparedRun, root_of, runs_of_study
from tests.notebooks.hand_made_groups import RUN, write_run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Folder of the runs, of which there is one."""
    write_run(tmp_path)
    return tmp_path


def test_a_run_is_read_with_its_results(root: Path) -> None:
    (run,) = runs_of_study("hand", root)

    assert run.file.run == RUN
    assert run.metrics is not None
    assert run.verdict is not None
    assert run.unreadable is None


def test_a_run_that_was_not_evaluated_is_listed_without_results(tmp_path: Path) -> None:
    write_run(tmp_path, status="failed", failed_stage="TrialEvaluator")

    (run,) = runs_of_study("hand", tmp_path)

    assert run.file.failed_stage == "TrialEvaluator"
    assert (run.metrics, run.verdict) == (None, None)


def test_a_run_whose_artifacts_were_removed_says_so(root: Path) -> None:
    (root / "documents" / "metrics.json").unlink()

    (run,) = runs_of_study("hand", root)

    assert run.metrics is None
    assert "metrics.json" in str(run.unreadable)


def test_an_empty_record_as_a_full_disk_left_it_hides_no_other_run(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    empty = root / "hand" / "records" / "20260101T000000.000000" / "run.json"
    empty.parent.mkdir()
    empty.touch()

    (run,) = runs_of_study("hand", root)

    assert run.file.run == RUN
    assert str(empty) in caplog.text


def test_another_studys_runs_are_left_out(root: Path) -> None:
    assert runs_of_study("other", root) == ()


def test_the_root_is_found_from_the_records(root: Path) -> None:
    assert root_of(root / "hand" / "records" / RUN) == root


def test_there_is_no_drift_without_an_earlier_run(root: Path) -> None:
    study = open_run(RUN, root).study
    runs = runs_of_study("hand", root)

    assert drift_since(study, "statistics", runs[0], runs, most=3) == ()


def test_drift_is_the_distance_from_the_train_data_of_an_earlier_run(root: Path) -> None:
    study = open_run(RUN, root).study
    (now,) = runs_of_study("hand", root)
    then = _earlier(now, statistics=_statistics(root / "then", range(30, 50)))
    here = _statistics(root / "now", range(60, 80))

    (drift,) = drift_since(study, here, now, (then, now), most=3)

    assert (drift.earlier, drift.same_data) == ("20200101T000000", False)
    found = {(item.feature, item.measure): item.value for item in drift.distances}
    # No age is in both: as far apart as can be.
    assert found["AGE", "Jensen-Shannon divergence"] == pytest.approx(1)


def _earlier(run: ComparedRun, statistics: str) -> ComparedRun:
    outputs = {"StatisticsGen": {"statistics": statistics}}
    changes = {"run": "20200101T000000", "fingerprint": "other", "outputs": outputs}
    return replace(run, file=run.file.model_copy(update=changes))


def _statistics(folder: Path, ages: Iterable[int]) -> str:
    """Statistics of a train split, as StatisticsGen writes them."""
    subjects = pd.DataFrame({"AGE": np.array(list(ages), np.float32)})
    split = folder / "Split-train"
    split.mkdir(parents=True)
    found = tfdv.generate_statistics_from_dataframe(subjects)
    (split / "FeatureStats.pb").write_bytes(found.SerializeToString())
    return str(folder)
