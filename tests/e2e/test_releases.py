"""The run of a trial that is too near to an earlier release shows people nothing of its subjects.

A first run lacks one subject. A second run has that subject, and so has a third, with other values
of that subject: what people see of the two is the same.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.outputs.register import people_facing
from pipeline.subject_key import KEY_VARIABLE
from pipeline.synthetic.simulate import Block, simulate
from pipeline.synthetic.trial import SyntheticTrial
from tests.e2e.test_blinded import write_trial
from tests.each import each
from tests.whole_runs import (
    LENIENT,
    REPOSITORY,
    SUBJECT_KEY,
    Run,
    environment,
    small_run,
    study_copy,
)

pytestmark = pytest.mark.slow

SUBJECT = "USUBJID"
CHANGED = ("AGE", "SEX", "RACE", "WEIGHTBL")
OF_RUNS = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.]*(Z|[+]00:00)?|[0-9a-f]{16,64}|\d{8}T\d{6}\.\d{6}"
    r"|(?<=, data )[0-9a-f]{12}\b|(?<=/data)\d\b|(?<=[a-z] )\d+(?=, [A-Z]\w+\.\w+)"
    r"|(?<=seconds\":)\s?[\d.]+|(?<=peak_memory_mb\":)\s?[\d.]+"
)
"""Times, digests and ids, folders of the data, seconds and memory."""

OF_STORE = ("started", "ended", "seconds", "peak_memory_mb", "data_modified", "fingerprint")


def changed_first(change: Callable[[str, np.ndarray[Any, Any]], Any]) -> Any:
    """A simulation in which values of the trial's first subject are others."""

    def simulated(trial: SyntheticTrial, block: int) -> Block:
        found = simulate(trial, block)
        datasets = {name: dict(columns) for name, columns in found.datasets.items()}
        for column in CHANGED:
            values = datasets["adsl"][column].copy()
            values[0] = change(column, values)
            datasets["adsl"][column] = values
        return dataclasses.replace(found, datasets=datasets)

    return simulated


def without_first(trial: SyntheticTrial, block: int) -> Block:
    """A simulation without the trial's first subject."""
    found = simulate(trial, block)
    first = found.datasets["adsl"][SUBJECT][0]
    datasets = {
        name: {column: values[columns[SUBJECT] != first] for column, values in columns.items()}
        for name, columns in found.datasets.items()
    }
    return dataclasses.replace(found, datasets=datasets)


def another(column: str, values: np.ndarray[Any, Any]) -> Any:
    del column
    if values.dtype.kind == "S":
        return next(value for value in values if value != values[0])
    return values[0] + 17


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run, Run]:
    """Without the subject, with it, and with other values of it, on one root."""
    folder = tmp_path_factory.mktemp("releases")
    study = study_copy(folder / "study", LENIENT)
    simulations = (without_first, simulate, changed_first(another))
    found = []
    for number, simulated in enumerate(simulations):
        data = ("--data", str(write_trial(folder / f"data{number}", simulated)))
        run = small_run(folder / "runs", study, *data, **{KEY_VARIABLE: SUBJECT_KEY})
        assert run.code == 0, run.terminal + run.errors
        report = command("report", run)
        assert report.returncode == 0, report.stderr
        found.append(run)
    first, second, third = found
    return first, second, third


def command(name: str, run: Run) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", name, run.id, "--root", str(run.root)],
        cwd=REPOSITORY,
        env=environment(),
        check=False,
        capture_output=True,
        text=True,
    )


def files(run: Run) -> Iterator[tuple[str, str]]:
    """What people see of a run's files: name and text without what differs between any two runs."""
    places = {
        Path(uri): f"{stage}/{name}"
        for stage, outputs in run.file["outputs"].items()
        for name, uri in outputs.items()
    } | {run.records: "records"}
    for _, path in people_facing(run.root):
        own = next((place for place in places if place == path or place in path.parents), None)
        if own and path.suffix in {".html", ".json", ".md", ""}:
            yield f"{places[own]}/{path.relative_to(own)}", neutral(path.read_text(), run)


def neutral(text: str, run: Run) -> str:
    for stage, outputs in run.file["outputs"].items():
        for name, uri in outputs.items():
            text = text.replace(uri, f"{stage}.{name}")
    # Of runs with the same champion all but the first take it from the cache.
    text = re.sub(r"\bcached\b", "done", OF_RUNS.sub("", text))
    return re.sub(r"\b(part-|-p)[0-9a-f]{8,10}\b", "ID", text)


def rows(run: Run) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """Rows of a run in the store but for times, by table."""
    with closing(sqlite3.connect(run.root / "store.sqlite")) as store:
        tables = store.execute("select name from sqlite_master where type = 'table'").fetchall()
        for (table,) in tables:
            columns = [found[1] for found in store.execute(f'pragma table_info("{table}")')]
            if "run" in columns:
                kept = ", ".join(f'"{name}"' for name in columns if name not in ("run", *OF_STORE))
                found = store.execute(f'select {kept} from "{table}" where run = ?', [run.id])
                yield table, [tuple("done" if v == "cached" else v for v in row) for row in found]


def test_the_first_run_is_shown_and_the_others_say_which_release_to_read(
    runs: tuple[Run, Run, Run],
) -> None:
    first, *others = runs
    sentence = "This run's numbers are held back"
    data = first.file["fingerprint"][:12]
    assert sentence not in first.terminal
    for run in each(others):
        assert sentence in run.terminal
        for name in ("page.html", "report.html"):
            page = (run.records / name).read_text()
            assert sentence in page.replace("&#x27;", "'").replace("&#39;", "'")
            assert data in page


def test_the_model_is_judged_by_the_exact_numbers_and_registered_if_they_are_shown(
    runs: tuple[Run, Run, Run],
) -> None:
    registered = []
    for run in each(runs):
        assert run.verdict["blessed"]
        registration = run.file_of("ModelRegistrar", "registration", "registration.json")
        registered.append(registration["registered"])
    assert registered == [True, False, False]


def test_nothing_that_people_see_depends_on_a_subject_who_is_new(
    runs: tuple[Run, Run, Run],
) -> None:
    _, one, other = runs
    assert dict(files(one)) == dict(files(other))
    assert len(dict(files(one))) > 20
    assert dict(rows(one)) == dict(rows(other))


def test_the_numbers_of_the_run_are_in_none_of_its_documents(runs: tuple[Run, Run, Run]) -> None:
    first, held, _ = runs
    assert first.metrics
    assert held.metrics == []
    assert held.file_of("TrialAnalysis", "analysis", "analysis.json")["tasks"] == []
    subjects = held.counts["subjects"]
    numbers = {str(sum(subjects.values())), *map(str, subjects.values())}
    for name, text in each(list(files(held))):
        found = set(re.findall(r"(?<![\w.])\d+(?![\w.])", text))
        assert not found & numbers, name
    assert dict(rows(held))["stage_rows"] == []


def test_notebooks_are_refused_with_the_reason(runs: tuple[Run, Run, Run]) -> None:
    refused = command("notebooks", runs[1])
    assert refused.returncode != 0
    assert "numbers are held back" in " ".join((refused.stdout + refused.stderr).split())


def test_the_registry_has_the_run_alone_that_is_shown(runs: tuple[Run, Run, Run]) -> None:
    first, *_ = runs
    history = (first.root / "registry" / first.study / "history").glob("*.json")
    assert [json.loads(path.read_text())["run"] for path in history] == [first.id]
