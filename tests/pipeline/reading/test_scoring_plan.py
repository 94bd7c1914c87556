"""What is read of subjects who are scored: what features are made from, nothing of an outcome."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.reading.fingerprint import content_fingerprint
from pipeline.reading.plan import plan_examples, plan_scoring
from pipeline.study.load import load_study
from pipeline.study.study import Study
from tests.scored_trial import write_subjects


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return load_study(write_subjects(tmp_path / "new"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "new"


def columns(study: Study, data: Path) -> set[str]:
    return set(plan_scoring(study, str(data)).datasets["subjects"].names)


def test_a_dataset_of_outcomes_is_not_needed(study: Study, data: Path) -> None:
    assert set(plan_scoring(study, str(data)).datasets) == {"subjects"}
    with pytest.raises(UserError, match=r"deaths\.csv|LASTDY"):
        plan_examples(study, str(data))


def test_the_population_is_read_and_leaves_no_subject_out(study: Study, data: Path) -> None:
    plan = plan_scoring(study, str(data))

    assert columns(study, data) == {"ID", "AGE", "SEX", "CONSENT"}
    assert (plan.population, plan.window) == (None, None)


def test_columns_of_groups_are_read_where_the_data_have_them(tmp_path: Path) -> None:
    by = {"sex": {"column": "SEX"}, "last": {"column": "LASTDY", "bands": [30]}}
    grouped = load_study(write_subjects(tmp_path / "grouped", slicing={"by": by}))

    assert columns(grouped, tmp_path / "grouped") == {"ID", "AGE", "SEX", "CONSENT"}


def test_the_day_of_exit_is_read_where_the_data_have_it(study: Study, data: Path) -> None:
    file = data / "subjects.csv"
    header, *rows = file.read_text().splitlines()
    file.write_text("\n".join([f"{header},LASTDY", *(f"{row},400" for row in rows)]))

    assert "LASTDY" in columns(study, data)


def test_outcomes_that_arrive_later_change_no_fingerprint(study: Study, data: Path) -> None:
    read = plan_scoring(study, str(data)).datasets
    before = content_fingerprint(study, str(data), datasets=read)
    (data / "deaths.csv").write_text("ID,DAY\nS001,7\n")

    assert content_fingerprint(study, str(data), datasets=read) == before
    assert content_fingerprint(study, str(data)) != before
