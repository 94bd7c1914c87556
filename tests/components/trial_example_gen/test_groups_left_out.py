"""Groups of `internal_external`, on the subjects of `executor_data`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from components.trial_example_gen.subject_hashes import subject_hash
from pipeline.results.evaluation_plan import read_plan
from tests.components.trial_example_gen.executor_data import N, study, subject_rows, write_data
from tests.components.trial_example_gen.executor_runs import KEY, Example, Outputs, execute


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))


def example_of(outputs: Outputs, number: int) -> Example:
    pseudonym = subject_hash("hand", f"P-{number:04d}", KEY.encode()).decode()
    return outputs.by_subject[pseudonym][1]


def test_sites_that_are_left_out_in_turn_are_groups_of_the_evaluation(
    data: Path, tmp_path: Path
) -> None:
    slicing = {"by": {"sex": {"column": "SEX"}}}
    by_site = {"scheme": "internal_external", "by": "site"}
    made = execute(study(slicing=slicing, evaluation=by_site), data, tmp_path)

    example = example_of(made, 12)
    assert (example["site"], example["slice_site"]) == ("05", "05")


def test_periods_that_are_left_out_in_turn_are_groups_of_the_evaluation(
    data: Path, tmp_path: Path
) -> None:
    """Subjects entered in 2013 and 2014 by turns, in month after month; every fifth unknown."""
    folder = tmp_path / "dated"
    shutil.copytree(data, folder)
    dates = [f"{2013 + k % 2}-{k % 12 + 1:02d}-01" if k % 5 else "" for k in range(N)]
    subject_rows().assign(RANDDTC=dates).to_csv(folder / "dm.csv", index=False)
    time = {"date": "RANDDTC", "period": "half_year"}
    by_time = {"scheme": "internal_external", "by": "time"}

    changes: dict[str, Any] = {
        "slicing": {"by": {"time": time}},
        "evaluation": by_time,
        "datasets.dm.columns.RANDDTC": {"type": "text"},
    }
    dated = study(**changes)

    made = execute(dated, folder, tmp_path)

    assert read_plan(str(tmp_path / "rejects")).groups == (
        "2013-H1",
        "2013-H2",
        "2014-H1",
        "2014-H2",
        "missing",
    )
    example = example_of(made, 13)
    assert (example["slice_time"], example["folds"]) == ("2014-H1", 2)
