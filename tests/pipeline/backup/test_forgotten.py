"""A backup that was taken before a subject was forgotten does not bring the subject back."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.backup.manifest import Places
from pipeline.cli.main import main
from pipeline.errors import UserError
from pipeline.forgetting.forget import forget_subjects
from pipeline.predictions.open_log import open_log
from pipeline.runs.forgotten import (
    ForgottenList,
    forgotten_path,
    newly_forgotten,
    read_forgotten,
    write_forgotten,
)
from tests.pipeline.backup.hand_made import elsewhere, restored, taken
from tests.pipeline.forgetting.found_bytes import files_with
from tests.pipeline.forgetting.hand_made import JANE, JOHN, STUDY, jane, made_root
from tests.pipeline.predictions.hand_made import subjects_of

LIST = newly_forgotten(STUDY, [JANE])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with Jane and John."""
    root = tmp_path_factory.mktemp("example") / "runs"
    made_root(root)
    return root


@pytest.fixture
def kept(root: Path, tmp_path: Path) -> str:
    """A backup of it, from before Jane was forgotten."""
    log = str(root / "predictions")
    taken(Places(root, str(root / "registry"), "", log), str(tmp_path / "kept"))
    return str(tmp_path / "kept")


def target(tmp_path: Path) -> Places:
    found = elsewhere(tmp_path / "other")
    return Places(found.root, found.registry, "", found.prediction_log)


def test_who_is_in_the_list_is_left_out(kept: str, tmp_path: Path) -> None:
    places = target(tmp_path)
    assert files_with(Path(kept), JANE.encode())

    assert restored(kept, places, LIST) == 3

    assert files_with(places.root, JANE.encode()) == []
    assert set(subjects_of(open_log(places.prediction_log).read(STUDY))) == {JOHN}
    # No later run is made on data with Jane.
    found = read_forgotten(forgotten_path(places.registry, STUDY))
    assert found.of(STUDY).has(JANE.encode())


def test_whom_the_backup_knows_of_is_left_out_too(root: Path, tmp_path: Path) -> None:
    """The prediction log was elsewhere when Jane was forgotten, and was kept with her rows."""
    registry = str(root / "registry")
    write_forgotten(forgotten_path(registry, STUDY), LIST)
    log = str(root / "predictions")
    taken(Places(root, registry, "", log), str(tmp_path / "kept"))
    Path(forgotten_path(registry, STUDY)).unlink()

    assert restored(str(tmp_path / "kept"), target(tmp_path)) == 3
    assert files_with(tmp_path / "other", JANE.encode()) == []


def test_without_divisions_the_list_is_kept_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    empty = Places(tmp_path / "runs", str(tmp_path / "runs" / "registry"), "", "")
    taken(empty, str(tmp_path / "kept"))
    places = target(tmp_path)
    restored(str(tmp_path / "kept"), Places(places.root, places.registry, "", ""), LIST)
    assert read_forgotten(forgotten_path(places.registry, STUDY)) == LIST


def test_a_registry_of_its_own_is_filled_without_them(kept: str, tmp_path: Path) -> None:
    registry = str(tmp_path / "models")
    found = target(tmp_path)
    restored(kept, Places(found.root, registry, "", found.prediction_log), LIST)
    assert files_with(tmp_path / "models-subjects", JANE.encode()) == []
    assert files_with(tmp_path / "models-subjects", JOHN.encode()) != []


def test_a_list_that_is_not_there_is_a_mistake(kept: str, tmp_path: Path) -> None:
    given = ["--root", str(tmp_path / "other"), "--prediction-log", str(tmp_path / "log")]
    assert main(["restore", kept, *given, "--forgotten", str(tmp_path / "none.json")]) == 2
    assert not (tmp_path / "other").exists()


def test_lists_are_joined_with_the_earlier_day() -> None:
    first = ForgottenList(subjects={"a": {"1": "2026-01-01", "2": "2026-01-01"}})
    second = ForgottenList(subjects={"a": {"1": "2025-01-01"}, "b": {"3": "2026-01-01"}})
    joined = {"a": {"1": "2025-01-01", "2": "2026-01-01"}, "b": {"3": "2026-01-01"}}
    assert first.joined(second).subjects == second.joined(first).subjects == joined


def test_a_damaged_list_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text('{"subjects": [1]}')
    with pytest.raises(UserError, match="not a list of forgotten subjects"):
        read_forgotten(str(tmp_path / "list.json"))


def test_what_was_restored_can_be_forgotten_again(kept: str, tmp_path: Path) -> None:
    places = target(tmp_path)
    restored(kept, places)
    assert files_with(places.root, JANE.encode()) != []
    forget_subjects(places.root, places.registry, places.prediction_log, jane())
    assert files_with(places.root, JANE.encode()) == []
