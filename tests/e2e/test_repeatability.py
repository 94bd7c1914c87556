"""The same data and seed give the same metrics; another seed gives others."""

from __future__ import annotations

import pytest
from whole_runs import LENIENT, Run, small_run, study_copy

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run, Run]:
    """Twice the same run on fresh roots with keys of their own, and one with another seed."""
    folder = tmp_path_factory.mktemp("repeat")
    study = study_copy(folder / "study", LENIENT)
    first = small_run(folder / "first" / "runs", study)
    data = first.file["data_root"]
    again = small_run(folder / "again" / "runs", study, "--data", data)
    other = small_run(folder / "other" / "runs", study, "--data", data, "--seed", "4")
    return first, again, other


def test_the_same_seed_gives_the_same_metrics_to_the_last_digit(runs: tuple[Run, Run, Run]):
    first, again, _ = runs
    assert again.metrics_text == first.metrics_text


def test_the_keys_of_the_two_runs_differ(runs: tuple[Run, Run, Run]):
    first, again, _ = runs
    keys = {(run.root / "secrets" / "subject_key").read_text() for run in (first, again)}
    assert len(keys) == 2


def test_another_seed_of_training_gives_other_metrics_of_the_same_subjects(
    runs: tuple[Run, Run, Run],
):
    first, _, other = runs
    assert other.counts == first.counts
    assert other.metrics_text != first.metrics_text
