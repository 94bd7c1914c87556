"""`trial backup` and `trial restore`, and a backup in an object store."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.backup.manifest import Places
from pipeline.cli.main import main
from pipeline.errors import UserError
from pipeline.predictions.open_log import open_log
from pipeline.runs.verify import verify
from tests.each import each
from tests.pipeline.backup.hand_made import content_of, elsewhere, files_of, restored, taken
from tests.pipeline.predictions.hand_made import STUDY, rows_of


@pytest.mark.slow
def test_it_may_be_kept_in_an_object_store(places: Places, tmp_path: Path, bucket: str) -> None:
    taken(places, f"s3://{bucket}/kept")
    with pytest.raises(UserError, match="objects already"):
        taken(places, f"s3://{bucket}/kept")
    there = f"s3://{bucket}/predictions"
    other = replace(
        elsewhere(tmp_path / "other"), registry=f"s3://{bucket}/registry", prediction_log=there
    )

    restored(f"s3://{bucket}/kept", other)

    assert verify(other.registry, "ist").problems == ()
    kept, found = (open_log(place).read(STUDY) for place in (places.prediction_log, there))
    assert rows_of(*kept) == rows_of(*found)


def test_commands_take_and_restore_it(
    places: Places,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    key = "a key of the subjects, for this test"
    monkeypatch.setenv("TRIAL_SUBJECT_KEY", key)
    monkeypatch.setenv("TRIAL_PREDICTION_LOG", places.prediction_log)
    kept = str(tmp_path / "kept")
    assert main(["backup", kept, "--root", str(places.root), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["store"], told["prediction_log"]) == ("sqlite", "files")
    content = files_of(tmp_path / "kept")
    assert [name for name, text in each(content.items()) if key.encode() in text] == []

    other = tmp_path / "other"
    monkeypatch.setenv("TRIAL_PREDICTION_LOG", str(other / "predictions"))
    assert main(["restore", kept, "--root", str(other)]) == 2
    assert not other.exists()
    monkeypatch.setenv("TRIAL_FORGOTTEN", "none")
    capsys.readouterr()
    assert main(["restore", kept, "--root", str(other), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["is_key_here"]
    assert content_of(other / "store.sqlite") == "store.sqlite"
    assert main(["models", "verify", "--study", "ist", "--root", str(other)]) == 0
