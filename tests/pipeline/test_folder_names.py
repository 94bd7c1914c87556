"""Folders of a run whose names look like patterns."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import Settings, resolve
from pipeline.errors import UserError
from tests.pipeline.test_config import ROWS, STUDY


def settings_in(folder: Path, root: Path) -> Settings:
    """Choices of a run on a hand-made study of two subjects."""
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "dm.csv").write_text(ROWS)
    (folder / "study.yaml").write_text(STUDY)
    (folder / "schema.pbtxt").write_text('feature { name: "AGE" type: FLOAT }\n')
    return Settings(study=str(folder / "study.yaml"), data=str(folder / "data"), root=root)


def test_study_file_and_data_may_have_a_name_that_looks_like_a_pattern(tmp_path: Path) -> None:
    found, expected = (
        resolve(settings_in(tmp_path / name, tmp_path / "runs")) for name in ("[x]", "plain")
    )

    assert found.fingerprint == expected.fingerprint
    assert found.data_modified is not None


def test_a_root_that_tfx_would_read_as_a_pattern_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    root = tmp_path / "[x]" / "runs"

    with pytest.raises(UserError, match=r"The root .* has the character \["):
        resolve(Settings(root=root, subjects=300))

    assert not root.exists()
