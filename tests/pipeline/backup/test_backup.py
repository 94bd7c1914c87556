"""A backup is whole or is not there, and what is restored from it is what was kept."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.backup.manifest import Places
from pipeline.errors import UserError
from pipeline.predictions.open_log import open_log
from pipeline.runs.alive import living_run
from pipeline.runs.verify import verify
from tests.each import each
from tests.pipeline.backup.hand_made import (
    KEY_ID,
    content_of,
    elsewhere,
    files_of,
    made_database,
    restored,
    taken,
)
from tests.pipeline.predictions.hand_made import STUDY, rows_of


def test_what_is_restored_is_what_was_kept(places: Places, tmp_path: Path) -> None:
    taken(places, str(tmp_path / "kept"))
    other = elsewhere(tmp_path / "other")

    restored(str(tmp_path / "kept"), other)

    before, after = files_of(places.root), files_of(other.root)
    assert set(before) - set(after) == {"ist/run.lock", "registry/ist/champion.json.lock"}
    assert set(after) <= set(before)
    for name in each(after):
        assert name.endswith(".sqlite") or after[name] == before[name], name
    for name in each(("store.sqlite", "ist/metadata.sqlite", "ist/scoring/metadata.sqlite")):
        assert content_of(other.root / name) == name
    assert verify(other.registry, "ist").problems == ()
    kept, found = (open_log(place.prediction_log).read(STUDY) for place in (places, other))
    assert rows_of(*kept) == rows_of(*found)


def test_the_manifest_names_the_subject_key_by_its_id(places: Places, tmp_path: Path) -> None:
    manifest = taken(places, str(tmp_path / "kept"))

    assert manifest.subject_key == KEY_ID
    assert json.loads((tmp_path / "kept" / "manifest.json").read_text())["subject_key"] == KEY_ID


def test_its_owner_alone_reads_it_and_what_is_restored(places: Places, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        taken(places, str(tmp_path / "kept"))
        restored(str(tmp_path / "kept"), elsewhere(tmp_path / "other"))
    finally:
        os.umask(before)

    paths = [path for name in ("kept", "other") for path in (tmp_path / name).rglob("*")]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in each(paths)}
    assert modes == {0o600, 0o700}
    for name in ("kept", "other"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o700


def _changed(kept: Path) -> None:
    path = next((kept / "registry" / "ist" / "models").rglob("saved_model.pb"))
    path.write_bytes(path.read_bytes()[::-1])


def _shortened(kept: Path) -> None:
    path = kept / "store" / "store.sqlite"
    path.write_bytes(path.read_bytes()[:-1])


def _without_a_file(kept: Path) -> None:
    next((kept / "prediction-log").rglob("*.parquet")).unlink()


def _with_another_file(kept: Path) -> None:
    (kept / "registry" / "ist" / "trail" / "9.json").write_text("{}")


def _without_a_manifest(kept: Path) -> None:
    (kept / "manifest.json").unlink()


def _of_a_later_release(kept: Path) -> None:
    path = kept / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 2}))


def _leading_outside(kept: Path) -> None:
    path = kept / "manifest.json"
    content = json.loads(path.read_text())
    (kept.parent / "outside").write_text("")
    content["files"]["../outside"] = {"sha256": "0" * 64, "bytes": 0}
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_changed, "saved_model.pb: not the file that was written"),
        (_shortened, "store.sqlite: not the file that was written"),
        (_without_a_file, "parquet: the file is missing"),
        (_with_another_file, "9.json: the file is not part of the backup"),
        (_without_a_manifest, "is no backup, or one that was not finished"),
        (_of_a_later_release, "of the format 2"),
        (_leading_outside, "lies outside of the backup"),
    ],
)
def test_of_a_damaged_backup_nothing_is_written(
    damage: Callable[[Path], None], message: str, places: Places, tmp_path: Path
) -> None:
    taken(places, str(tmp_path / "kept"))
    damage(tmp_path / "kept")

    with pytest.raises(UserError, match=message):
        restored(str(tmp_path / "kept"), elsewhere(tmp_path / "other"))

    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("name", ["ist/metadata.sqlite", "predictions/a.parquet", "anything"])
def test_nothing_that_is_there_is_overwritten(name: str, places: Places, tmp_path: Path) -> None:
    taken(places, str(tmp_path / "kept"))
    there = tmp_path / "other" / name
    there.parent.mkdir(parents=True)
    there.write_text("mine")

    with pytest.raises(UserError, match="there is something already"):
        restored(str(tmp_path / "kept"), elsewhere(tmp_path / "other"))

    assert files_of(tmp_path / "other") == {name: b"mine"}


def test_an_empty_root_is_filled(places: Places, tmp_path: Path) -> None:
    taken(places, str(tmp_path / "kept"))
    (tmp_path / "other").mkdir()

    restored(str(tmp_path / "kept"), elsewhere(tmp_path / "other"))

    assert verify(str(tmp_path / "other" / "registry"), "ist").models == 2


def test_parts_may_go_to_places_of_their_own(places: Places, tmp_path: Path) -> None:
    taken(places, str(tmp_path / "kept"))
    other = Places(
        tmp_path / "other",
        str(tmp_path / "models"),
        f"sqlite:///{tmp_path / 'told.sqlite'}",
        str(tmp_path / "log"),
    )

    restored(str(tmp_path / "kept"), other)

    assert verify(other.registry, "ist").problems == ()
    assert (tmp_path / "models-subjects" / "ist" / "releases" / "1.parquet").is_file()
    assert content_of(tmp_path / "told.sqlite") == "store.sqlite"
    assert len(list((tmp_path / "log").rglob("*.parquet"))) == 1
    assert sorted(path.name for path in (tmp_path / "other").iterdir()) == ["ist"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"store": ""}, "holds a store .sqlite.: say where to"),
        ({"prediction_log": ""}, "holds a prediction log .files.: say where to"),
        ({"store": "postgresql://a@b/c"}, "name the same kind"),
    ],
)
def test_a_part_goes_to_a_place_of_its_kind(
    change: dict[str, Any], message: str, places: Places, tmp_path: Path
) -> None:
    taken(places, str(tmp_path / "kept"))
    with pytest.raises(UserError, match=message):
        restored(str(tmp_path / "kept"), replace(elsewhere(tmp_path / "other"), **change))
    assert not (tmp_path / "other").exists()


def test_while_a_run_is_alive_no_backup_is_taken(places: Places, tmp_path: Path) -> None:
    with living_run(places.root / "ist"), pytest.raises(UserError, match="a run is under way"):
        taken(places, str(tmp_path / "kept"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs"]


def test_a_store_that_is_written_to_meanwhile_is_kept_as_it_was(
    places: Places, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(places.root / "store.sqlite")) as connection:
        connection.execute("BEGIN")
        connection.execute("UPDATE told SET text = 'half'")
        taken(places, str(tmp_path / "kept"))

    assert content_of(tmp_path / "kept" / "store" / "store.sqlite") == "store.sqlite"


def test_a_part_that_cannot_be_read_leaves_no_backup(places: Places, tmp_path: Path) -> None:
    (places.root / "ist" / "metadata.sqlite").write_text("no database")
    with pytest.raises(UserError, match=r"metadata.sqlite: the database can't be copied"):
        taken(places, str(tmp_path / "kept"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs"]


def test_drafts_of_writers_are_left_out(places: Places, tmp_path: Path) -> None:
    draft = places.root / "predictions" / f".score-run.parquet.{'0' * 32}"
    draft.write_text("half")
    manifest = taken(places, str(tmp_path / "kept"))
    assert [name for name in each(manifest.files) if draft.name in name] == []


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("kept", "it is there already"),
        ("none/kept", "the folder does not exist"),
        ("runs/kept", "below the root"),
        ("gs://bucket/kept", "expected a local folder or s3"),
    ],
)
def test_a_target_must_be_new_and_outside_of_the_root(
    target: str, message: str, places: Places, tmp_path: Path
) -> None:
    (tmp_path / "kept").mkdir()
    address = target if "://" in target else str(tmp_path / target)
    with pytest.raises(UserError, match=message):
        taken(places, address)


def test_a_root_of_unblinded_runs_is_not_copied(places: Places, tmp_path: Path) -> None:
    (places.root / "access.json").write_text("{}")
    with pytest.raises(UserError, match="a root of unblinded runs has no backup"):
        taken(places, str(tmp_path / "kept"))


def test_unblinded_runs_below_the_root_are_left_out(places: Places, tmp_path: Path) -> None:
    unblinded = places.root / "unblinded"
    made_database(unblinded / "ist" / "metadata.sqlite", "by arm")
    (unblinded / "access.json").write_text("{}")
    # Nor is it waited for their end.
    with living_run(unblinded / "ist"):
        manifest = taken(places, str(tmp_path / "kept"))

    assert [name for name in each(manifest.files) if "unblinded" in name] == []


def test_a_root_that_something_is_mounted_at_is_refused_before_anything_is_written(
    places: Places, tmp_path: Path
) -> None:
    """The rename would fail at the end, when databases are filled."""
    taken(places, str(tmp_path / "kept"))
    other = elsewhere(tmp_path / "other")

    with pytest.raises(UserError, match="/proc: another file system is mounted there"):
        restored(str(tmp_path / "kept"), replace(other, registry="/proc"))

    assert not other.root.exists()


def test_a_root_may_be_a_link_to_an_empty_folder(places: Places, tmp_path: Path) -> None:
    taken(places, str(tmp_path / "kept"))
    (tmp_path / "disk").mkdir()
    (tmp_path / "other").symlink_to(tmp_path / "disk")

    restored(str(tmp_path / "kept"), elsewhere(tmp_path / "other"))

    assert (tmp_path / "other").is_symlink()
    assert content_of(tmp_path / "disk" / "store.sqlite") == "store.sqlite"
