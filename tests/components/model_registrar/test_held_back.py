"""The registry gets no model of a run whose numbers are held back."""

from __future__ import annotations

from pathlib import Path

from pipeline.results.release import RELEASE_FILE, EarlierRelease, Release
from tests.components.model_registrar.test_executor import STUDY, Run


def test_a_blessed_model_of_a_run_that_is_held_back_is_not_registered(tmp_path: Path) -> None:
    run = Run(tmp_path)
    near = EarlierRelease(shown="2026-11-29 04:00", data="3fa9c1d2e4b5")
    release = Release(smallest_group=10, earlier=near)
    run.write(f"examples/{RELEASE_FILE}", release.model_dump_json())

    registration = run.execute()

    assert not registration["registered"]
    assert "numbers are held back" in registration["reason"]
    assert run.registry.champion(STUDY) is None
    assert not run.registry.history(STUDY)
