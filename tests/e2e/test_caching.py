"""What a change of the data runs anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.runs.registry import Registry
from tests.whole_runs import LENIENT, Run, small_run, study_copy

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return study_copy(tmp_path_factory.mktemp("study"), LENIENT)


@pytest.fixture(scope="module")
def first(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return small_run(tmp_path_factory.mktemp("caching") / "runs", study)


def test_a_model_is_registered_again_in_a_registry_that_was_emptied(
    first: Run, study: Path
) -> None:
    registry = Registry(str(first.root / "registry"))
    assert registry.champion("synthetic") is not None
    shutil.rmtree(first.root / "registry")

    again = small_run(first.root, study)

    assert again.statuses["TrialEvaluator"] == "cached"
    champion = registry.champion("synthetic")
    assert champion is not None
    assert champion.run == again.id


def test_one_changed_byte_of_one_file_runs_all_that_follows_from_the_data(
    first: Run, study: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(first.file["data_root"], data)
    copied = small_run(first.root, study, "--data", str(data))
    assert copied.file["fingerprint"] == first.file["fingerprint"]

    [adsl] = data.glob("adsl-*.xpt")
    content = adsl.read_bytes()
    place = content.rindex(b"COMPLETED")
    adsl.write_bytes(content[:place] + b"K" + content[place + 1 :])
    changed = small_run(first.root, study, "--data", str(data))

    assert changed.code == 0, changed.terminal
    assert changed.file["fingerprint"] != copied.file["fingerprint"]
    # The schema does not follow from the data.
    cached = {stage for stage, status in changed.statuses.items() if status == "cached"}
    assert cached == {"CuratedSchema"}
