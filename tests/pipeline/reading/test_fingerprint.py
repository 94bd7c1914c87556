"""The fingerprint that decides whether a reading can be reused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.reading.fingerprint import content_fingerprint
from tests.components.trial_example_gen.hand_made_trial import hand_made_study, make_trial


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir()
    make_trial(data)
    return data


def fingerprint(folder: Path | str, **changes: Any) -> str:
    return content_fingerprint(hand_made_study(changes), str(folder))


def test_the_same_files_have_the_same_fingerprint(folder: Path) -> None:
    assert fingerprint(folder) == fingerprint(folder)
    assert len(fingerprint(folder)) == 64


def test_one_changed_byte_is_another_fingerprint(folder: Path) -> None:
    before = fingerprint(folder)
    content = bytearray((folder / "lb.csv").read_bytes())
    content[-4] ^= 1
    (folder / "lb.csv").write_bytes(content)
    assert fingerprint(folder) != before


def test_a_file_written_again_with_the_same_bytes_changes_nothing(folder: Path) -> None:
    before = fingerprint(folder)
    content = (folder / "lb.csv").read_bytes()
    (folder / "lb.csv").unlink()
    (folder / "lb.csv").write_bytes(content)
    assert fingerprint(folder) == before


def test_a_file_that_no_dataset_names_changes_nothing(folder: Path) -> None:
    before = fingerprint(folder)
    (folder / "notes.txt").write_text("seen")
    assert fingerprint(folder) == before


def test_a_further_file_of_a_pattern_is_another_fingerprint(folder: Path) -> None:
    pattern = {"datasets.lb.file": "lb*.csv"}
    before = fingerprint(folder, **pattern)
    shutil.copy(folder / "lb.csv", folder / "lb2.csv")
    assert fingerprint(folder, **pattern) != before


def test_a_renamed_file_is_another_fingerprint(folder: Path) -> None:
    pattern = {"datasets.lb.file": "lb*.csv"}
    before = fingerprint(folder, **pattern)
    (folder / "lb.csv").rename(folder / "lb2.csv")
    assert fingerprint(folder, **pattern) != before


def test_content_that_changes_its_dataset_is_another_fingerprint(folder: Path) -> None:
    before = fingerprint(folder)
    dm, lb = (folder / "dm.csv").read_bytes(), (folder / "lb.csv").read_bytes()
    (folder / "dm.csv").write_bytes(lb)
    (folder / "lb.csv").write_bytes(dm)
    assert fingerprint(folder) != before


def test_a_renamed_folder_changes_nothing(folder: Path) -> None:
    before = fingerprint(folder)
    assert fingerprint(folder.rename(folder.parent / "moved")) == before


def test_a_slash_after_the_folder_changes_nothing(folder: Path) -> None:
    assert fingerprint(f"{folder}/") == fingerprint(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"thresholds": [{"metric": "auc", "at_least": 0.9}]},
        {"title": "Renamed"},
        {"gate": {"leakage": "warn"}},
        {"disclosure": "internal"},
    ],
)
def test_what_does_not_decide_the_examples_changes_nothing(
    folder: Path, changes: dict[str, Any]
) -> None:
    assert fingerprint(folder, **changes) == fingerprint(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"features.SEX": {"kind": "category"}},
        {"features.alt.aggregate": "mean"},
        {"landmark": {"day": 29}},
        {"split": {"seed": 2}},
    ],
)
def test_what_decides_the_examples_is_another_fingerprint(
    folder: Path, changes: dict[str, Any]
) -> None:
    assert fingerprint(folder, **changes) != fingerprint(folder)
