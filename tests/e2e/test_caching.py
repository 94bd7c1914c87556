"""The same command once more, and which stages a change of the data runs again."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import SUBJECT_KEY_FILE
from pipeline.runs.registry import Registry
from tests.e2e.written_files import (
    holders_of,
    holders_of_identifiers,
    pseudonyms_in,
    written,
)
from tests.each import each
from tests.verdict_texts import note_texts
from tests.whole_runs import LENIENT, REPOSITORY, Run, small_run, study_copy

pytestmark = pytest.mark.slow


ALWAYS = {"ModelRegistrar", "RunPage", "MetricsExporter"}
"""Stages of every run: they read or write what no cache knows, the registry and the store."""

WITH_A_CHAMPION = {
    *("ChampionModel", "DataGate", "TrialEvaluator", "BlessedModel", "ModelCard", "Pusher"),
}
"""Stages that read the champion."""


def executed(run: Run) -> set[str]:
    return {stage for stage, status in run.statuses.items() if status != "cached"}


@dataclass(frozen=True)
class Nights:
    """Two runs on unchanged data after the one whose model is the champion.

    Attributes:
        token: The champion's before them.
        second: The first of them that has a champion: the model is compared with itself.
        third: The next.
    """

    token: str
    second: Run
    third: Run


@pytest.fixture(scope="module")
def nights(champion: Run, lenient_study: Path) -> Nights:
    token = Registry(str(champion.root / "registry")).champion_token("synthetic")
    second, third = (small_run(champion.root, lenient_study) for _ in range(2))
    return Nights(token, second, third)


def test_nightly_runs_on_unchanged_data_keep_the_champion_and_come_from_the_cache(
    champion: Run, nights: Nights
) -> None:
    registry = Registry(str(champion.root / "registry"))

    assert registry.champion_token("synthetic") == nights.token
    assert len(registry.history("synthetic")) == 1
    assert executed(nights.second) == WITH_A_CHAMPION | ALWAYS
    assert executed(nights.third) == ALWAYS
    for run in (nights.second, nights.third):
        assert run.verdict["blessed"], run.terminal
        registration = run.output("ModelRegistrar", "registration") / "registration.json"
        assert "it is the champion already" in registration.read_text()
    serving = champion.root / "synthetic" / "serving"
    served = registry.book("synthetic").pointer.champion
    assert served is not None
    assert {path.name for path in serving.iterdir()} == {str(served.version), "pushed"}


def test_the_terminal_shows_what_came_from_the_cache(nights: Nights) -> None:
    assert re.search(r"^✓ Trainer .* from cache$", nights.second.terminal, re.M)


def test_the_second_run_is_compared_with_the_champion_of_the_first(nights: Nights) -> None:
    differences = [
        record["value"]
        for record in nights.second.metrics
        if (record["model"], record["versus"]) == ("difference", None)
        and record["metric"] == "auc"
        and not record["slice"]
    ]
    # The very same model: no difference at all.
    assert differences == [0, 0, 0]
    [note] = [note for note in note_texts(nights.second.verdict) if "champion" in note]
    tested = nights.second.counts["subjects"]["test"]
    assert note.startswith(f"Compared with the champion on {tested:,} test subjects")


def test_the_second_run_has_the_metrics_of_the_first(champion: Run, nights: Nights) -> None:
    def points(run: Run) -> dict[str, Any]:
        keys = ("task", "slice", "metric", "decision_threshold")
        return {
            json.dumps([record[key] for key in keys]): record["value"]
            for record in run.metrics
            if record["model"] == "challenger"
        }

    assert len(points(champion)) > 10
    assert points(nights.second) == points(champion)


def test_nothing_of_a_subject_is_written_where_there_is_a_champion(nights: Nights) -> None:
    run = nights.second
    examples = run.output("TrialExampleGen", "examples") / "Split-test"
    key = SUBJECT_KEY_FILE.read_text().strip().encode()

    assert holders_of_identifiers(run) == []
    assert holders_of(pseudonyms_in(examples), run) == []
    assert [path for path, content in each(written(run)) if key in content] == []
    assert key.decode() not in run.terminal


def test_an_edited_evaluator_runs_the_evaluation_and_what_follows_from_it_again(
    tmp_path: Path,
) -> None:
    checkout = tmp_path / "checkout"
    for package in ("components", "pipeline", "trainer", "requirements"):
        shutil.copytree(REPOSITORY / package, checkout / package)
    # A refused model: the next run finds no champion either.
    refused = LENIENT | {("thresholds",): [{"metric": "auc", "at_least": 0.99}]}
    study = study_copy(tmp_path / "study", refused)

    before = small_run(tmp_path / "runs", study, PYTHONPATH=str(checkout))
    with (checkout / "components" / "evaluator" / "intervals.py").open("a") as file:
        file.write("# An edit.\n")
    after = small_run(tmp_path / "runs", study, PYTHONPATH=str(checkout))

    assert after.code == 0, after.terminal
    evaluation = {"TrialEvaluator", "BlessedModel", "ModelCard", "Pusher"}
    assert executed(after) == evaluation | ALWAYS
    assert after.metrics_text == before.metrics_text


def test_a_model_is_registered_again_in_a_registry_that_was_emptied(
    champion: Run, lenient_study: Path
) -> None:
    registry = Registry(str(champion.root / "registry"))
    assert registry.champion("synthetic") is not None
    shutil.rmtree(champion.root / "registry")

    again = small_run(champion.root, lenient_study)

    assert again.statuses["TrialEvaluator"] == "cached"
    registered = registry.champion("synthetic")
    assert registered is not None
    assert registered.run == again.id


def test_one_changed_byte_of_one_file_runs_all_that_follows_from_the_data(
    champion: Run, lenient_study: Path
) -> None:
    [adsl] = Path(champion.file["data_root"]).glob("adsl-*.xpt")
    content = adsl.read_bytes()
    place = content.rindex(b"COMPLETED")
    adsl.write_bytes(content[:place] + b"K" + content[place + 1 :])
    try:
        data = ("--data", champion.file["data_root"])
        changed = small_run(champion.root, lenient_study, *data)
    finally:
        adsl.write_bytes(content)

    assert changed.code == 0, changed.terminal
    assert changed.file["fingerprint"] != champion.file["fingerprint"]
    # The schema does not follow from the data.
    cached = {stage for stage, status in changed.statuses.items() if status == "cached"}
    assert cached == {"CuratedSchema"}
