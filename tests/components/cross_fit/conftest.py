"""The models of the folds are trained once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow_transform as tft

from components.cross_fit import executor as module
from tests.components.cross_fit.stage import (
    COUNT,
    REPEATS,
    SETTINGS,
    Stage,
    Trial,
    write_examples,
)
from tests.trainer.trainer_study import INPUTS, subjects, transform
from trainer.cross_fit import cross_fit
from trainer.examples import read_encoding
from trainer.final_fit import fit_on_all
from trainer.model import resolve
from trainer.serving import save
from trainer.subjects import read_subjects
from trainer.transformation import Transformation


@pytest.fixture(scope="package")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    folder = tmp_path_factory.mktemp("cross_fit")
    rows = subjects(COUNT)
    for seed, split in enumerate(("train", "eval", "test")):
        file = folder / "examples" / f"Split-{split}" / "data_tfrecord-00000-of-00001.gz"
        write_examples(subjects(COUNT, seed), file)
    transform(rows, INPUTS, folder / "graph")
    graph = tft.TFTransformOutput(str(folder / "graph"))
    transformation = Transformation(graph, INPUTS)
    read = read_subjects([f"{folder}/examples/Split-train/*"], transformation, INPUTS, REPEATS)
    encoding = read_encoding(graph, INPUTS)
    hyper = resolve(COUNT, chosen=SETTINGS.hyperparameters)
    fitted = fit_on_all(read.arrays, encoding, hyper, seed=1)
    save(fitted, transformation, str(folder / "model" / "Format-Serving"))
    out_of_fold = cross_fit(read.arrays, read.folds, encoding, hyper, seed=1)
    return Trial(folder / "examples", folder / "graph", fitted, folder / "model", out_of_fold)


@pytest.fixture
def stage(trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(module, "cross_fit", lambda *_: trial.out_of_fold)
    return Stage(trial, tmp_path)
