"""A trial that grows while champions follow each other, by whole executions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import UserError
from pipeline.names import FOLDS, SPLITS
from pipeline.reading import buckets
from pipeline.results.division import Division, division_of_run
from pipeline.results.evaluation_plan import read_plan
from pipeline.results.predictions import Predictions, join_folds, write_predictions
from pipeline.results.registration import Candidate
from pipeline.results.release import read_release
from pipeline.runs.registry import Registry
from tests.components.trial_example_gen.executor_data import lab_rows, study, subject_rows
from tests.components.trial_example_gen.executor_runs import Outputs, execute
from tests.registered_models import documents

SIZES = (140, 154, 169, 186)
SCHEMES: dict[str, dict[str, Any]] = {
    "split": {"scheme": "split"},
    "cross_fit": {"scheme": "cross_fit", "folds": 4, "repeats": 1},
}


def write_trial(folder: Path, size: int) -> Path:
    """The first subjects to be enrolled; the later ones have the smaller numbers."""
    folder.mkdir()
    enrolled = {f"P-{number:04d}" for number in range(200 - size, 200)}
    frames: dict[str, pd.DataFrame] = {"dm": subject_rows(), "lb": lab_rows()}
    for name, frame in frames.items():
        frame[frame.USUBJID.isin(enrolled)].to_csv(folder / f"{name}.csv", index=False)
    return folder


def dealt(outputs: Outputs) -> dict[str, int]:
    """Number of the split, or the fold, of each pseudonym."""
    plan = read_plan(str(outputs.folder / "rejects"))
    return {
        pseudonym: int(example[FOLDS] or 0) if plan.out_of_fold else SPLITS.index(split)
        for pseudonym, (split, example) in outputs.by_subject.items()
    }


def division_of(outputs: Outputs) -> Division:
    """What the registry keeps of a run, with predictions made up out of fold."""
    plan = read_plan(str(outputs.folder / "rejects"))
    predictions = None
    if plan.out_of_fold:
        predictions = str(outputs.folder / "predictions")
        found = dealt(outputs)
        rows = Predictions(
            np.array([pseudonym.encode() for pseudonym in found], object),
            np.zeros(len(found), np.int16),
            np.array(list(found.values()), np.int16),
            {"challenger": {"death": np.full(len(found), 0.5, np.float32)}},
        )
        write_predictions(predictions, rows)
    return division_of_run(plan, str(outputs.folder / "examples"), predictions, ["death"])


def register(root: Path, division: Division, name: str) -> None:
    for file in ("saved_model.pb", "FeatureStats.pb"):
        (root / name).mkdir(exist_ok=True)
        (root / name / file).write_text(name)
    candidate = Candidate(
        study="hand",
        split_seed=1,
        label_digest="labels",
        study_digest="study",
        fingerprint=name,
        code_version="1",
        run=name,
        metrics={},
        division=division.digest,
    )
    Registry(str(root / "registry")).register(
        candidate, str(root / name), str(root / name), division, documents(name, "study")
    )


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
def test_in_a_trial_that_grows_three_times_by_a_tenth_everyone_keeps_part_or_fold(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Several buckets, so that the division is looked up in each of them.
    monkeypatch.setattr(buckets, "_BUCKET_BYTES", 4000)
    settings = study(evaluation=SCHEMES[scheme])
    inherited, before = "none", dict[str, int]()
    for size in SIZES:
        data = write_trial(tmp_path / f"data{size}", size)
        run = execute(
            settings,
            data,
            tmp_path / f"run{size}",
            workers=1 + size % 3,
            registry_root=str(tmp_path / "registry"),
            inherited_division=inherited,
        )
        now = dealt(run)
        assert len(now) == size
        assert {pseudonym: now[pseudonym] for pseudonym in before} == before
        # Grown by few subjects, the run is too near to the one before to show a number.
        held_back = read_release(str(run.folder / "rejects")).is_held_back
        assert held_back == bool(before)
        assert read_plan(str(run.folder / "rejects")).inherited == 0
        division = division_of(run)
        register(tmp_path, division, f"model{size}")
        inherited, before = division.digest, now
    # New subjects went everywhere.
    sizes = np.bincount(list(before.values()))
    wanted = np.array([112, 37, 37] if scheme == "split" else [46.5] * 4)
    assert np.abs(sizes - wanted).max() <= 6


def test_the_parts_that_the_registry_keeps_are_those_of_the_examples(tmp_path: Path) -> None:
    run = execute(study(), write_trial(tmp_path / "data", 186), tmp_path / "run")
    subjects, parts = join_folds([division_of(run).rows])
    kept = zip(subjects.astype(str).tolist(), parts[:, 0].tolist(), strict=True)
    assert dict(kept) == dealt(run)


def test_a_division_that_vanished_since_the_run_was_created_stops_it(tmp_path: Path) -> None:
    data = write_trial(tmp_path / "data", 186)
    root = str(tmp_path / "registry")
    with pytest.raises(UserError, match="no longer holds the division 123456789abc…"):
        execute(
            study(),
            data,
            tmp_path / "run",
            registry_root=root,
            inherited_division="123456789abcdef",
        )
