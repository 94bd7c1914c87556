"""No run is made on data that still hold a subject who was forgotten."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from components.trial_example_gen.forgotten import refuse_forgotten
from components.trial_example_gen.subject_hashes import subject_hash
from pipeline.errors import UserError
from pipeline.runs.forgotten import forgotten_path, newly_forgotten, write_forgotten
from tests.components.trial_example_gen.executor_data import lab_rows, study, subject_rows
from tests.components.trial_example_gen.executor_runs import KEY, execute
from tests.pipeline.forgetting.hand_made import JOHN, example, record


def written(folder: Path) -> Path:
    """The data of a trial."""
    folder.mkdir()
    subject_rows().to_csv(folder / "dm.csv", index=False)
    lab_rows().to_csv(folder / "lb.csv", index=False)
    return folder


def test_data_with_a_forgotten_subject_are_refused(tmp_path: Path) -> None:
    name = study().study
    first = str(subject_rows()["USUBJID"].iloc[0])
    registry = str(tmp_path / "registry")
    gone = newly_forgotten(name, [subject_hash(name, first, KEY.encode()).decode(), "0" * 32])
    write_forgotten(forgotten_path(registry, name), gone)

    with pytest.raises(UserError, match="hold 1 subjects who were forgotten"):
        execute(study(), written(tmp_path / "data"), tmp_path / "run", registry_root=registry)

    assert not list((tmp_path / "run").rglob("*.gz"))
    assert not list((tmp_path / "run").rglob("*.parquet"))


@pytest.mark.parametrize("has_list", [True, False])
def test_data_of_others_are_not(has_list: bool, tmp_path: Path) -> None:
    registry = str(tmp_path / "registry")
    if has_list:
        gone = newly_forgotten("ist", ["0" * 32])
        write_forgotten(forgotten_path(registry, "ist"), gone)
    folder = tmp_path / "Split-train"
    folder.mkdir()
    (folder / "data_tfrecord-0.gz").write_bytes(gzip.compress(record(example(JOHN))))

    refuse_forgotten(registry, "ist", [str(folder)])
    refuse_forgotten(None, "ist", [str(folder)])
    others = newly_forgotten("ist", [JOHN])
    write_forgotten(forgotten_path(registry, "ist"), others)
    with pytest.raises(UserError, match="forgotten"):
        refuse_forgotten(registry, "ist", [str(folder)])
