"""What a writer that was killed left in the registry is found, and nothing that an entry names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.runners.local.leftovers import registry_leftovers
from pipeline.runs.alive import living_run
from pipeline.runs.divisions import subjects_root
from pipeline.runs.registry import Registry
from pipeline.runs.run_file import VALIDATIONS
from pipeline.runs.unfinished import unfinished_registrations
from tests.pipeline.runs.test_registry import STUDY, register, registry, root

__all__ = ["registry", "root"]

_DEAD = "0123456789abcdef"


@pytest.fixture
def left(root: Path, registry: Registry, tmp_path: Path) -> list[Path]:
    """What a killed registration left beside a whole one; of another study, too."""
    register(registry, tmp_path, "whole")
    found = []
    for study in (STUDY, "another"):
        own = root / study
        division = Path(subjects_root(str(root))) / study
        found = [own / "models" / _DEAD, own / "statistics" / _DEAD, division / _DEAD]
        for folder in found:
            folder.mkdir(parents=True)
            (folder / "half").write_text("who was in which part")
        if study == STUDY:
            of_study = found
    draft = root / STUDY / f".champion.json.{'0' * 32}"
    draft.write_text("{}")
    os.utime(draft, (0, 0))
    (root / STUDY / f".champion.json.{'1' * 32}").write_text("of a command that is alive")
    return [*of_study, draft]


def test_copies_without_an_entry_and_old_drafts_are_found_of_the_study_alone(
    root: Path, left: list[Path], registry: Registry
) -> None:
    assert unfinished_registrations(str(root), STUDY) == left
    [entry] = registry.history(STUDY)
    registry.check_files(entry)


def test_nothing_is_taken_where_an_entry_is_damaged(root: Path, left: list[Path]) -> None:
    assert left
    [entry] = (root / STUDY / "history").iterdir()
    entry.write_text("{")
    assert unfinished_registrations(str(root), STUDY) == []


def test_nothing_is_taken_while_a_validation_is_alive(
    root: Path, left: list[Path], tmp_path: Path
) -> None:
    own = tmp_path / "runs"
    assert registry_leftovers(own, str(root), STUDY) == left
    with living_run(own / VALIDATIONS):
        assert registry_leftovers(own, str(root), STUDY) == []
    assert registry_leftovers(own, str(root), STUDY) == left
