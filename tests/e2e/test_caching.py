"""What a change of the data runs anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from whole_runs import LENIENT, small_run, study_copy

pytestmark = pytest.mark.slow


def test_one_changed_byte_of_one_file_runs_all_that_follows_from_the_data(tmp_path: Path):
    study = study_copy(tmp_path / "study", LENIENT)
    first = small_run(tmp_path / "runs", study)
    data = tmp_path / "data"
    shutil.copytree(first.file["data_root"], data)
    copied = small_run(tmp_path / "runs", study, "--data", str(data))
    assert copied.file["fingerprint"] == first.file["fingerprint"]

    [adsl] = data.glob("adsl-*.xpt")
    content = adsl.read_bytes()
    place = content.rindex(b"COMPLETED")
    adsl.write_bytes(content[:place] + b"K" + content[place + 1 :])
    changed = small_run(tmp_path / "runs", study, "--data", str(data))

    assert changed.code == 0, changed.terminal
    assert changed.file["fingerprint"] != copied.file["fingerprint"]
    # The schema does not follow from the data.
    cached = {stage for stage, status in changed.statuses.items() if status == "cached"}
    assert cached == {"CuratedSchema"}
