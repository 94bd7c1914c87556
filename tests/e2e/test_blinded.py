"""A trial that still runs: with its arms exchanged, people are shown exactly the same.

Two runs of the same synthetic trial, whose study says `conduct: ongoing`. In the second one who had
`Active` is said to have had `Placebo`, and the other way round, in every data file.
"""

from __future__ import annotations

import dataclasses
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from pipeline.outputs.register import people_facing
from pipeline.study.blinded import POOLED
from pipeline.synthetic import write as writing
from pipeline.synthetic.simulate import Block, simulate
from pipeline.synthetic.trial import TRUTH_FOLDER, UNFINISHED, SyntheticTrial
from tests.e2e.test_disclosure import finished_run, neutral, rows_of
from tests.each import each
from tests.whole_runs import (
    LENIENT,
    SMALL,
    Run,
)

pytestmark = pytest.mark.slow

ONE, OTHER = b"Active", b"Placebo"
DATABASES = {".sqlite"}
OF_TIMES = {"boards.html", "metadata.sqlite"}
"""Boards show what the stages needed, and all else of them is in the store; TFX's metadata are
times and ids of artifacts whose files are compared."""

Simulate = Callable[[SyntheticTrial, int], Block]


def exchanged(trial: SyntheticTrial, block: int) -> Block:
    """A block of the trial in which each arm has the other one's name."""
    simulated = simulate(trial, block)
    datasets = {
        name: {column: _exchanged(values) for column, values in columns.items()}
        for name, columns in simulated.datasets.items()
    }
    return dataclasses.replace(simulated, datasets=datasets)


def _exchanged(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if values.dtype.kind != "S":
        return values
    to_other = np.where(values == ONE, OTHER, values)
    return np.where(values == OTHER, ONE, to_other)


def write_trial(folder: Path, simulated: Simulate) -> Path:
    """Writes the trial's data, and returns their folder."""
    for name in (TRUTH_FOLDER, UNFINISHED):
        (folder / name).mkdir(parents=True)
    with mock.patch.object(writing, "simulate", simulated):
        writing.write_shard(0, SyntheticTrial(SMALL), str(folder))
    return folder


def finished(folder: Path, simulated: Simulate) -> Run:
    """A blinded run with all that a person may write of it afterwards."""
    # The shipped schema describes the arm too.
    changes = LENIENT | {("conduct",): "ongoing", ("gate", "anomalies"): "warn"}
    return finished_run(folder, changes, write_trial(folder / "data", simulated))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    folder = tmp_path_factory.mktemp("blinded")
    return finished(folder / "one", simulate), finished(folder / "other", exchanged)


def same(text: str, run: Run) -> str:
    """A text without what differs between any two runs, and between any two inputs."""
    fingerprint = run.file["fingerprint"]
    text = neutral(text, run).replace(fingerprint, "FINGERPRINT")
    return text.replace(fingerprint[:12], "FINGERPRINT")


def shown(run: Run) -> dict[str, Any]:
    """What people see of a run: text of each file, or rows of each table, by its place."""
    found: dict[str, Any] = {}
    for _, path in each(people_facing(run.root)):
        name = same(str(path.relative_to(run.root)), run)
        if path.name in OF_TIMES:
            continue
        found |= (
            dict(_tables(name, path, run))
            if path.suffix in DATABASES
            else {name: same(path.read_text("utf-8"), run)}
        )
    return found


_IDS = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{16})\b")
"""Ids of models and digests of the registry's entries, of two runs never the same."""


def _tables(name: str, path: Path, run: Run) -> Iterator[tuple[str, Counter[tuple[str, ...]]]]:
    with closing(sqlite3.connect(path)) as store:
        tables = store.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            rows = rows_of(store, table, run)
            yield (
                f"{name}: {table}",
                Counter(tuple(_IDS.sub("ID", same(cell, run)) for cell in row) for row in rows),
            )


def test_the_arms_are_exchanged_in_the_data(pair: tuple[Run, Run]) -> None:
    """Otherwise nothing could differ."""
    one, other = pair
    assert one.file["fingerprint"] != other.file["fingerprint"]


def test_nothing_that_people_see_depends_on_the_arm(pair: tuple[Run, Run]) -> None:
    one, other = map(shown, pair)
    assert one.keys() == other.keys()
    for kind in ("report.html", "page.html", "card.json", "metrics.json", "run.json", ": metrics"):
        assert any(name.endswith(kind) for name in one), kind
    assert [name for name in each(one) if one[name] != other[name]] == []


def test_pages_say_that_figures_are_pooled_and_name_no_arm(pair: tuple[Run, Run]) -> None:
    pages = {name: text for name, text in shown(pair[0]).items() if name.endswith(".html")}
    named = re.compile(rf"\b({ONE.decode()}|{OTHER.decode()})\b")
    for name, page in each(pages.items()):
        assert POOLED in page, name
        assert not named.search(page), name
