"""Work that is not spread evenly on the cluster."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.flink.conftest import Flink
from tests.flink.example_gen import IN_MEMORY, ExampleGen, options

pytestmark = pytest.mark.slow

SUBJECTS = 300
SEED = 20261
ROWS = 100_000


def test_a_subject_with_100_000_rows_of_events_stops_no_run(
    flink: Flink, subject_key: str, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    _write_trial(data)
    example_gen = ExampleGen(data, subject_key)

    examples, rejects = example_gen.run(tmp_path / "flink", options(flink))

    assert sum(map(len, examples.values())) > 0.9 * SUBJECTS
    assert json.loads(rejects[1])["datasets"]["adlb"]["used"] > ROWS
    assert (examples, rejects) == example_gen.run(tmp_path / "memory", IN_MEMORY)


def _write_trial(folder: Path) -> None:
    """A synthetic trial, and laboratory values of its first subject in a file of their own."""
    from pipeline.synthetic.simulate import simulate
    from pipeline.synthetic.trial import DATASETS, SyntheticTrial
    from pipeline.synthetic.write import write
    from pipeline.synthetic.xpt_writer import XptWriter

    trial = SyntheticTrial(SUBJECTS, SEED)
    write(trial, str(folder))
    rows = {
        name: np.repeat(column[:1], ROWS)
        for name, column in simulate(trial, 0).datasets["adlb"].items()
    }
    rows["AVAL"] = np.linspace(10.0, 40.0, ROWS)
    (dataset,) = (dataset for dataset in DATASETS if dataset.name == "adlb")
    with (folder / "adlb-hot.xpt").open("wb") as stream:
        writer = XptWriter(stream, dataset)
        writer.append(rows)
        writer.finish()
