"""`trial score` on Flink gives what the model predicts, and what it gives in memory."""

from __future__ import annotations

import pytest
from pandas.testing import assert_frame_equal

from tests.each import each
from tests.flink.conftest import Flink
from tests.scored_trial import Scored, risk, run_scoring, subject_rows, write_subjects

pytestmark = pytest.mark.slow

_OPTIONS = ("--with-subject",)


@pytest.fixture(scope="module")
def on_flink(flink: Flink, tmp_path_factory: pytest.TempPathFactory) -> Scored:
    folder = tmp_path_factory.mktemp("flink-scored")
    study = write_subjects(folder / "new")
    ended = run_scoring(folder, study, *_OPTIONS, *flink.arguments)
    assert ended.code == 0, ended.terminal
    return ended


def test_each_subject_has_the_models_own_risk(on_flink: Scored) -> None:
    found = on_flink.predictions.set_index("subject")

    for name, age, sex, _ in each(subject_rows()):
        assert found.loc[name, "death"] == pytest.approx(risk(age, sex), abs=1e-6), name


def test_predictions_and_flags_are_those_of_memory(
    on_flink: Scored, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("memory-scored")
    in_memory = run_scoring(folder, write_subjects(folder / "new"), *_OPTIONS)
    assert in_memory.code == 0, in_memory.terminal
    # Each root has a key of its own, from which the pseudonyms come.
    found, expected = (
        run.predictions.set_index("subject").sort_index().drop(columns="model")
        for run in (on_flink, in_memory)
    )
    assert_frame_equal(found, expected, check_exact=False, rtol=0, atol=1e-6)
