"""Which stages a change of the data runs again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.runs.registry import Registry
from tests.whole_runs import Run, small_run

pytestmark = pytest.mark.slow


ALWAYS = {"ModelRegistrar", "RunPage", "MetricsExporter"}
"""Stages of every run: they read or write what no cache knows, the registry and the store."""


def executed(run: Run) -> set[str]:
    return {stage for stage, status in run.statuses.items() if status != "cached"}


def test_nightly_runs_on_unchanged_data_keep_the_champion_and_come_from_the_cache(
    champion: Run, lenient_study: Path
) -> None:
    registry = Registry(str(champion.root / "registry"))
    token = registry.champion_token("synthetic")

    second, third = (small_run(champion.root, lenient_study) for _ in range(2))

    assert registry.champion_token("synthetic") == token
    assert len(registry.history("synthetic")) == 1
    # The second run is the first with a champion: the model is compared with itself.
    compared = {
        "ChampionModel",
        "DataGate",
        "TrialEvaluator",
        "BlessedModel",
        "ModelCard",
        "Pusher",
    }
    assert executed(second) == compared | ALWAYS
    assert executed(third) == ALWAYS
    for run in (second, third):
        assert run.verdict["blessed"], run.terminal
        registration = run.output("ModelRegistrar", "registration") / "registration.json"
        assert "it is the champion already" in registration.read_text()
    serving = champion.root / "synthetic" / "serving"
    served = registry.book("synthetic").pointer.champion
    assert served is not None
    assert {path.name for path in serving.iterdir()} == {str(served.version), "pushed"}


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
    champion: Run, lenient_study: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(champion.file["data_root"], data)
    copied = small_run(champion.root, lenient_study, "--data", str(data))
    assert copied.file["fingerprint"] == champion.file["fingerprint"]

    [adsl] = data.glob("adsl-*.xpt")
    content = adsl.read_bytes()
    place = content.rindex(b"COMPLETED")
    adsl.write_bytes(content[:place] + b"K" + content[place + 1 :])
    changed = small_run(champion.root, lenient_study, "--data", str(data))

    assert changed.code == 0, changed.terminal
    assert changed.file["fingerprint"] != copied.file["fingerprint"]
    # The schema does not follow from the data.
    cached = {stage for stage, status in changed.statuses.items() if status == "cached"}
    assert cached == {"CuratedSchema"}
