"""The file of predictions that a person gets."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import UserError
from pipeline.results.scored_file import ScoredRows, content_of_part
from pipeline.results.scored_output import check_output, write_scored
from tests.each import each


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two parts of two subjects each."""
    made = tmp_path / "scored"
    made.mkdir()
    for number, names in enumerate((["a", "b"], ["c", "d"])):
        part = ScoredRows(
            subjects=np.array(names, object),
            outputs={"death": np.array([0.1, 0.2]) + number / 2},
            flags={
                ("left_by_landmark", None): np.array([True, False]),
                ("out_of_range", "AGE"): np.array([True, True]),
            },
            refused=np.zeros(2, bool),
            model="m",
        )
        (made / f"part-{number}.parquet").write_bytes(content_of_part(part))
    return made


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_all_parts_are_one_file_that_only_its_owner_reads(
    folder: Path, tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / f"out{suffix}"

    write_scored(str(folder), out)

    found = pd.read_csv(out) if suffix == ".csv" else pd.read_parquet(out)
    assert list(found.subject_hash) == ["a", "b", "c", "d"]
    assert list(found.death) == pytest.approx([0.1, 0.2, 0.6, 0.7])
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_in_a_csv_file_flags_stand_behind_each_other(folder: Path, tmp_path: Path) -> None:
    write_scored(str(folder), tmp_path / "out.csv")

    first, second = pd.read_csv(tmp_path / "out.csv")["flags"][:2]
    assert (first, second) == ("left_by_landmark;out_of_range:AGE", "out_of_range:AGE")


def test_original_keys_stand_in_the_first_column(folder: Path, tmp_path: Path) -> None:
    keys = {name: f"P-{name}" for name in "abcd"}

    write_scored(str(folder), tmp_path / "out.csv", keys)

    found = pd.read_csv(tmp_path / "out.csv")
    assert found.columns[0] == "subject"
    assert list(found.subject) == ["P-a", "P-b", "P-c", "P-d"]


def test_a_file_that_others_could_read_is_replaced_by_one_that_they_cannot(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    out.write_text("what was there before")
    out.chmod(0o644)

    write_scored(str(folder), out)

    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert sorted(path.name for path in each(tmp_path.iterdir())) == ["out.csv", "scored"]


@pytest.mark.parametrize("name", ["out.xlsx", "out", "nowhere/out.csv"])
def test_what_can_not_be_written_is_refused_before_anything_runs(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="--out"):
        check_output(tmp_path / name)
