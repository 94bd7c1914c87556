"""How many settings were tried before, what changed, and whether the protocol was fixed first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.runs import looks
from pipeline.runs.looks import (
    TriedSettings,
    freeze_protocol,
    record_look,
    run_look,
    settings_of,
)
from pipeline.study.load import load_study, parse_study
from pipeline.study.shipped import find_study_file
from pipeline.study.study import Study

SHIPPED = load_study(find_study_file("synthetic"))
CLOCK = [f"2026-01-{day:02}T00:00:00.000000+00:00" for day in range(1, 29)]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each record is made a day after the one before it."""
    days = iter(CLOCK)
    monkeypatch.setattr(looks, "_now", lambda: next(days))


def changed(**sections: Any) -> Study:
    """The synthetic study with other sections."""
    return parse_study({**SHIPPED.to_content(), **sections}, "the study")


def tried(study: Study = SHIPPED, seed: int = 1, steps: int = 0) -> TriedSettings:
    return settings_of(study, seed, steps, tune=False)


@pytest.fixture
def root(tmp_path: Path) -> str:
    return str(tmp_path / "registry")


def test_a_first_run_has_no_look_before_it(root: str) -> None:
    history = run_look(root, tried()).history

    assert (history.tried, history.changed, history.frozen) == (0, (), "no")


def test_other_settings_count_once_each(root: str) -> None:
    for seed in (1, 2, 2, 1):
        record_look(root, tried(seed=seed))

    assert run_look(root, tried(seed=3)).history.tried == 2


def test_a_repetition_has_the_history_of_its_first_evaluation(root: str) -> None:
    first = run_look(root, tried(seed=1))
    record_look(root, tried(seed=1))
    record_look(root, tried(seed=2))

    assert run_look(root, tried(seed=1)) == first


@pytest.mark.parametrize(
    ("study", "seed", "sections"),
    [
        (SHIPPED, 2, ("options",)),
        (changed(thresholds=[]), 1, ("thresholds",)),
        (changed(training={"hyperparameters": {"depth": 1}}), 3, ("options", "training")),
    ],
)
def test_what_changed_since_the_last_settings_is_named(
    root: str, study: Study, seed: int, sections: tuple[str, ...]
) -> None:
    record_look(root, tried())

    assert run_look(root, tried(study, seed)).history.changed == sections


@pytest.mark.parametrize("section", ["title", "card", "analysis", "disclosure"])
def test_what_changes_no_evaluation_is_no_other_settings(root: str, section: str) -> None:
    content = {
        "title": "Another title",
        "card": {},
        "analysis": {},
        "disclosure": "internal",
    }
    record_look(root, tried())

    assert tried(changed(**{section: content[section]})) == tried()


def test_the_title_of_a_task_is_no_other_settings() -> None:
    tasks = SHIPPED.to_content()["tasks"]
    renamed = changed(tasks={name: {**task, "title": "Other"} for name, task in tasks.items()})

    assert tried(renamed) == tried()


def test_the_title_of_a_feature_is_no_other_settings() -> None:
    """Neither is one that `each` gives: the file of a release without titles is the same."""
    features = SHIPPED.to_content()["features"]
    untitled = {
        name: {key: value for key, value in feature.items() if key != "title"}
        for name, feature in features.items()
    }
    untitled["vital_last"]["each"] = ["SYSBP", "PULSE", "SCORE"]
    untitled["lab_last"]["each"] = untitled["lab_change"]["each"] = ["ALT", "CREAT", "CRP"]

    assert "title" in features["AGE"]
    assert tried(changed(features=untitled)) == tried()


def test_other_labels_are_another_question(root: str) -> None:
    record_look(root, tried())
    tasks = SHIPPED.to_content()["tasks"]
    fewer = changed(tasks={name: tasks[name] for name in list(tasks)[:1]}, thresholds=[])

    history = run_look(root, tried(fewer)).history
    assert (history.tried, history.tried_elsewhere) == (0, 1)
    assert "; 1 more settings were evaluated before with other labels" in history.sentence


def test_another_seed_of_the_folds_counts_apart(root: str) -> None:
    for seed in (7, 8, 8):
        record_look(root, tried(changed(split={"seed": seed})))

    history = run_look(root, tried()).history
    assert (history.tried, history.tried_elsewhere) == (0, 2)


def test_a_protocol_is_fixed_before_the_first_result(root: str) -> None:
    _, first = freeze_protocol(root, SHIPPED)
    record_look(root, tried())

    history = run_look(root, tried(seed=2)).history
    assert first
    assert (history.frozen, history.frozen_at) == ("before", CLOCK[0])
    assert "fixed on 2026-01-01, before the first result" in history.sentence


def test_a_protocol_fixed_after_a_look_says_so(root: str) -> None:
    record_look(root, tried(seed=1))
    _, first = freeze_protocol(root, SHIPPED)

    assert not first
    assert run_look(root, tried(seed=2)).history.frozen == "after"


def test_a_look_at_other_labels_counts_as_a_first_result(root: str) -> None:
    tasks = SHIPPED.to_content()["tasks"]
    fewer = changed(tasks={name: tasks[name] for name in list(tasks)[:1]}, thresholds=[])
    record_look(root, tried(fewer))
    freeze_protocol(root, SHIPPED)

    assert run_look(root, tried()).history.frozen == "after"


def test_other_thresholds_are_not_the_fixed_protocol(root: str) -> None:
    freeze_protocol(root, SHIPPED)

    assert run_look(root, tried(changed(thresholds=[]))).history.frozen == "no"


def test_another_training_is_still_the_fixed_protocol(root: str) -> None:
    freeze_protocol(root, SHIPPED)

    assert run_look(root, tried(changed(training={"steps": 5}))).history.frozen == "before"


def test_fixing_again_keeps_the_first_date(root: str) -> None:
    first, _ = freeze_protocol(root, SHIPPED)
    again, _ = freeze_protocol(root, SHIPPED)

    assert again.at == first.at == CLOCK[0]


def test_records_hold_digests_and_no_content_of_the_study_file(root: str) -> None:
    record_look(root, tried())
    freeze_protocol(root, SHIPPED)

    files = sorted(Path(root).rglob("*.json"))
    assert len(files) == 2
    for file in files:
        record = json.loads(file.read_text())
        digests = {*record.get("sections", {}).values(), record["protocol"]}
        assert {len(digest) for digest in digests} == {64}


def test_a_damaged_record_is_named(root: str) -> None:
    record_look(root, tried())
    (file,) = Path(root).rglob("*.json")
    file.write_text("{")

    with pytest.raises(UserError, match=str(file)):
        run_look(root, tried(seed=2))
