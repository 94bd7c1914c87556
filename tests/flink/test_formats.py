"""Files of every format, read by the cluster's workers."""

from __future__ import annotations

from pathlib import Path

import pyreadstat
import pytest
import yaml

from pipeline.study.shipped import SCHEMAS
from pipeline.synthetic.trial import SyntheticTrial
from pipeline.synthetic.write import write
from tests.flink.conftest import Flink
from tests.flink.example_gen import IN_MEMORY, ExampleGen, options

pytestmark = pytest.mark.slow

SUBJECTS = 300
SEED = 20262


def test_transport_files_and_dataset_json_give_the_same_examples_as_in_memory(
    flink: Flink, subject_key: str, trial_data_dir: Path, tmp_path: Path
) -> None:
    pilot = ExampleGen(trial_data_dir / "cdisc_pilot01", subject_key, "cdisc_pilot01")

    found = pilot.run(tmp_path / "flink", options(flink))

    assert sum(map(len, found[0].values())) > 200
    assert found == pilot.run(tmp_path / "memory", IN_MEMORY)


def test_parquet_gives_the_same_examples_as_in_memory(
    flink: Flink, subject_key: str, tmp_path: Path
) -> None:
    data, study = tmp_path / "data", tmp_path / "study.yaml"
    _write_as_parquet(data, study)
    trial = ExampleGen(data, subject_key, str(study))

    found = trial.run(tmp_path / "flink", options(flink))

    assert sum(map(len, found[0].values())) > 0.9 * SUBJECTS
    assert found == trial.run(tmp_path / "memory", IN_MEMORY)


def _write_as_parquet(data: Path, study_file: Path) -> None:
    """The synthetic trial, its transport files rewritten, and a study file for them."""
    write(SyntheticTrial(SUBJECTS, SEED), str(data))
    for path in data.glob("*.xpt"):
        rows, _ = pyreadstat.read_xport(path)
        rows.to_parquet(path.with_suffix(".parquet"), index=False)
        path.unlink()
    study = yaml.safe_load((SCHEMAS / "synthetic" / "study.yaml").read_text())
    for dataset in study["datasets"].values():
        dataset["format"] = "parquet"
        dataset["file"] = dataset["file"].replace(".xpt", ".parquet")
    study_file.write_text(yaml.safe_dump(study, sort_keys=False))
