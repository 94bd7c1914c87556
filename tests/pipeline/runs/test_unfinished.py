"""What a writer that was killed left in the registry is found, and nothing that an entry names."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pipeline.runners.local.leftovers import registry_leftovers
from pipeline.runs.alive import living_run
from pipeline.runs.divisions import subjects_root
from pipeline.runs.registry import Registry
from pipeline.runs.run_file import VALIDATIONS
from pipeline.runs.unfinished import old_drafts, unfinished_registrations
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
            (folder / "variables").mkdir()
            (folder / "variables" / "half").write_text("who was in which part")
            grow_old(folder)
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


def test_a_record_that_was_not_written_to_its_end_is_found_in_any_folder(tmp_path: Path) -> None:
    draft = tmp_path / "r1" / f".run.json.{'0' * 32}"
    draft.parent.mkdir()
    for path in (draft, draft.with_name("run.json")):
        path.write_text("{")
        os.utime(path, (0, 0))
    draft.with_name(f".run.json.{'1' * 32}").write_text("of a command that is alive")

    assert list(old_drafts(tmp_path)) == [draft]
    assert list(old_drafts(tmp_path / "absent")) == []


def test_a_folder_that_was_written_within_the_hour_is_not_taken(
    root: Path, left: list[Path]
) -> None:
    """Another study's validation, or a run from another root, holds another lock."""
    file = left[0] / "variables" / "half"
    grow_old(file, 50 * 60)
    assert unfinished_registrations(str(root), STUDY) == left[1:]
    grow_old(file, 70 * 60)
    assert unfinished_registrations(str(root), STUDY) == left


def test_a_draft_that_a_living_command_renames_meanwhile_is_passed_over(
    root: Path, left: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Path.lstat

    def lstat(path: Path) -> os.stat_result:
        if path == left[-1]:
            path.replace(root / STUDY / "champion.json")
        return plain(path)

    monkeypatch.setattr(Path, "lstat", lstat)
    assert unfinished_registrations(str(root), STUDY) == left[:-1]
    assert (root / STUDY / "champion.json").exists()


def grow_old(path: Path, seconds: float = 2**31) -> None:
    """Dates a file, or a folder with all in it, that long back."""
    moment = max(time.time() - seconds, 0)
    for found in (path, *path.rglob("*")):
        os.utime(found, (moment, moment))


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
