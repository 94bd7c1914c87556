"""What runs that died have left is removed, and nothing else."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2 as pb
from tfx.orchestration import metadata

from pipeline.runners.local.leftovers import clear


def executed(path: Path, *states: int) -> list[int]:
    """Executions in states of ML Metadata; their ids."""
    with metadata.Metadata(metadata.sqlite_metadata_connection_config(str(path))) as handle:
        kind = handle.store.put_execution_type(pb.ExecutionType(name="Trainer"))
        return list(
            handle.store.put_executions(
                [pb.Execution(type_id=kind, last_known_state=state) for state in states]
            )
        )


def file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("rows of subjects")
    return path


def test_unfinished_executions_are_closed_and_their_folders_removed(tmp_path: Path) -> None:
    store = tmp_path / "metadata.sqlite"
    done, dead = executed(store, pb.Execution.COMPLETE, pb.Execution.RUNNING)
    root = tmp_path / "artifacts" / "Trainer"
    whole = file(root / "model" / str(done) / "saved_model.pb")
    half = file(root / "model" / str(dead) / "variables")
    systems = file(root / ".system" / "executor_execution" / str(dead) / "output.pb")
    works = file(root / ".system" / "stateful_working_dir" / "a-uuid" / "checkpoint")

    found = clear(str(store), str(tmp_path / "artifacts"), None)

    assert whole.exists()
    assert [path.exists() for path in (half.parent, systems.parent, works.parent)] == [False] * 3
    with metadata.Metadata(metadata.sqlite_metadata_connection_config(str(store))) as handle:
        states = [item.last_known_state for item in handle.store.get_executions()]
    assert states == [pb.Execution.COMPLETE, pb.Execution.FAILED]
    assert str(found) == (
        "Cleared what runs that did not finish had left: 1 unfinished execution and 3 folders."
    )
    assert str(clear(str(store), str(tmp_path / "artifacts"), None)) == ""


def test_half_versions_of_models_are_removed_from_the_serving_folder(tmp_path: Path) -> None:
    serving = tmp_path / "serving"
    kept = [
        file(serving / "7" / "saved_model.pb"),
        file(serving / "pushed" / "100" / "saved_model.pb"),
        file(serving / "notes" / "of_a_person"),
    ]
    half = [
        file(serving / "8" / "variables" / "variables.index"),
        file(serving / "pushed" / "101" / "fingerprint.pb"),
        file(serving / f".9.{'0123456789abcdef' * 2}" / "saved_model.pb"),
    ]

    found = clear(str(tmp_path / "none.sqlite"), str(tmp_path / "artifacts"), str(serving))

    assert [path.exists() for path in (*kept, *half)] == [True] * 3 + [False] * 3
    assert found.folders == 3


@pytest.mark.parametrize("is_whole", [False, True])
def test_a_folder_that_another_run_removes_meanwhile_is_no_failure(
    tmp_path: Path, is_whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = file(tmp_path / "scratch" / "tmp" / "shard")
    other = file(tmp_path / "scratch" / "tmp" / "zeta" / "shard")
    plain = os.unlink

    def unlink(path: str, **options: int) -> None:
        """The other run is a file ahead, or has removed everything."""
        plain(path, **options)
        shutil.rmtree(tmp_path / "scratch" if is_whole else other.parent, ignore_errors=True)

    monkeypatch.setattr(os, "unlink", unlink)
    found = clear(
        str(tmp_path / "none.sqlite"), str(tmp_path / "artifacts"), None, [tmp_path / "scratch"]
    )
    assert found.folders == 1
    assert not half.parents[1].exists()


def test_what_cannot_be_removed_elsewhere_stops_no_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    precious = file(tmp_path / "precious" / "file")
    link = tmp_path / "registry" / "link"
    link.parent.mkdir()
    link.symlink_to(precious.parent)
    below_a_file = precious / "draft"
    last = file(tmp_path / "registry" / "draft")

    with caplog.at_level(logging.WARNING):
        found = clear(
            str(tmp_path / "none.sqlite"),
            str(tmp_path / "artifacts"),
            None,
            [link, below_a_file, last],
        )

    assert (found.folders, found.files) == (0, 1)
    assert (precious.exists(), last.exists()) == (True, False)
    assert [str(link) in text or str(below_a_file) in text for text in caplog.messages] == [
        True
    ] * 2
