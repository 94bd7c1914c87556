"""Six processes that change one registry at the same time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.runs.publish import publish
from pipeline.runs.registry import Registry
from pipeline.runs.verify import verify
from tests.pipeline.runs.governed import STUDY, add, champion_id
from tests.whole_runs import REPOSITORY

pytestmark = pytest.mark.slow
WRITERS = 6


@pytest.fixture
def root(registry_root: str) -> str:
    return registry_root


def attack(kind: str, root: str, folder: Path) -> list[dict[str, Any]]:
    """What each of the writers reports."""
    start = folder / "start"
    writers = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.pipeline.runs.registry_writer", kind, root),
                *(str(folder / "work"), str(number), str(folder / "serving"), str(start)),
            ],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(WRITERS)
    ]
    start.touch()
    return [json.loads(writer.communicate(timeout=300)[0]) for writer in writers]


def test_of_six_first_runs_one_is_the_champion_and_the_others_say_why_not(
    root: str, tmp_path: Path
) -> None:
    found = attack("first", root, tmp_path)

    assert [item["champion"] for item in found].count(True) == 1
    reasons = [item["reason"] for item in found if not item["champion"]]
    assert len(reasons) == WRITERS - 1
    told = "compared with the champion none, but now the champion is"
    assert [told in reason for reason in reasons] == [True] * (WRITERS - 1)
    assert len(Registry(root).history(STUDY)) == WRITERS
    assert verify(root, STUDY).problems == ()


def test_champion_history_and_served_model_agree_whatever_six_writers_do(
    root: str, tmp_path: Path
) -> None:
    add(root, tmp_path, "the first")

    found = attack("anything", root, tmp_path)

    assert sum(item["done"] for item in found) > WRITERS
    checked = verify(root, STUDY)
    assert checked.problems == ()
    assert checked.entries == Registry(root).book(STUDY).pointer.trail.number
    serving = tmp_path / "serving"
    before = {path.name for path in serving.iterdir()} if serving.exists() else set()
    served = publish(root, STUDY, str(serving))
    assert {path.name for path in serving.iterdir()} == before
    champion = Registry(root).champion(STUDY)
    assert (champion.id if champion else None) == (served.id if served else None)
    assert Registry(root).book(STUDY).entries()[-1].champion == (champion_id(root) or "")
    if champion and served:
        versions = [int(name) for name in before if name.isdigit()]
        assert max(versions) == served.version
        model = (serving / str(served.version) / "saved_model.pb").read_text()
        assert champion.run == f"run of {model}"
