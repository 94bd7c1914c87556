"""One random trial, written in every format and encoding, is one and the same trial when read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings

from components.trial_example_gen.counts import count_labels
from components.trial_example_gen.labels import derive_labels
from pipeline.study.load import parse_study
from tests.components.trial_example_gen.hand_made_trial import Trial
from tests.each import each
from tests.pipeline.reading.database.written_database import read_database, write_sqlite
from tests.pipeline.reading.formats.every_format import write_in_every_format
from tests.pipeline.reading.random_trial import RandomTrial, random_trials

property_of_trials = settings(max_examples=7, suppress_health_check=[HealthCheck.too_slow])


def _read_in_every_format(trial: RandomTrial, folder: Path) -> Iterator[tuple[str, Trial]]:
    for fmt, files, described in write_in_every_format(folder, trial.tables):
        yield fmt, Trial(parse_study(trial.study(described), "study.yaml"), files)
    write_sqlite(folder / "trial.sqlite", trial.tables)
    yield "sqlite", read_database(trial, "sqlite:///trial.sqlite", folder)


def found_in(trial: Trial) -> dict[str, Any]:
    """Everything that is derived from a trial's rows, by what it is called."""
    rejects = [(name, row, column, why) for name, _, row, column, why in trial.rejects]
    found = {"subjects": trial.subjects, "rejects": sorted(rejects, key=str)}
    found["rows"] = trial.counts
    if not trial.subjects:
        return found
    for name in (feature.name for feature in trial.study.resolved_features):
        found[f"feature {name}"] = trial.feature(name)
    for task in trial.study.tasks:
        found[f"label {task}"] = trial.label(task)
        found[f"reason {task}"] = trial.reason(task)
    labels = derive_labels(trial.study, trial.joined)
    splits = np.full(len(trial.subjects), "train")
    found["label counts"] = dict(count_labels(splits, None, labels))
    return found


@property_of_trials
@given(random_trials())
def test_every_format_gives_equal_subjects_features_labels_and_rejects(trial: RandomTrial) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (_, first), *others = _read_in_every_format(trial, Path(folder))
        expected = found_in(first)
        for fmt, other in each(others):
            found = found_in(other)
            for what, value in each(expected.items()):
                assert found[what] == value, f"{what} of {fmt}"


@property_of_trials
@given(random_trials())
def test_every_row_is_used_excluded_or_rejected(trial: RandomTrial) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for fmt, read in each(_read_in_every_format(trial, Path(folder))):
            rejected = [(name, row) for name, _, row, _, _ in read.rejects]
            assert len(set(rejected)) == len(rejected), fmt
            assert trial.unreadable <= set(rejected), fmt
            for name, counts in each(read.counts.items()):
                assert counts["rows_in"] == len(trial.tables[name].rows), (fmt, name)
                accounted_for = counts["used"] + counts["excluded"] + counts["rejected"]
                assert accounted_for == counts["rows_in"], (fmt, name)
                assert counts["rejected"] == sum(n == name for n, _ in rejected), (fmt, name)
                assert counts["rejected"] == sum(counts["reasons"].values()), (fmt, name)
