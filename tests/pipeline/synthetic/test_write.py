"""Writing the synthetic trial: the same every time, whole or not at all."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.cli.main import main
from pipeline.errors import UserError
from pipeline.study.load import load_study
from pipeline.synthetic.simulate import simulate
from pipeline.synthetic.trial import DATASETS, TASKS, SyntheticTrial
from pipeline.synthetic.write import write
from tests.each import each
from tests.pipeline.synthetic.written_trials import files, read

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    "mode", ["multi_threading", pytest.param("multi_processing", marks=pytest.mark.slow)]
)
def test_the_same_trial_has_the_same_bytes_with_one_worker_and_with_two(
    mode: Any, tmp_path: Path
) -> None:
    trial = SyntheticTrial(subjects=2_500, subjects_per_shard=1_000)
    write(trial, str(tmp_path / "one"))
    write(
        trial,
        str(tmp_path / "two"),
        [f"--direct_running_mode={mode}", "--direct_num_workers=2"],
    )
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_the_folder_may_have_a_name_that_looks_like_a_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "[x]"
    write(SyntheticTrial(subjects=300), str(folder))

    assert not (folder / "unfinished").exists()
    assert (folder / "adsl-00000-of-00001.xpt").exists()
    (folder / "manifest.json").unlink()
    with pytest.raises(UserError, match="is a shard of another trial"):
        write(SyntheticTrial(subjects=2_500, subjects_per_shard=1_000), str(folder))


def test_the_records_do_not_depend_on_the_shards(tmp_path: Path) -> None:
    write(SyntheticTrial(subjects=2_500, subjects_per_shard=1_000), str(tmp_path / "three"))
    write(SyntheticTrial(subjects=2_500), str(tmp_path / "one"))
    assert len(list((tmp_path / "three").glob("adlb-*-of-00003.xpt"))) == 3
    assert len(list((tmp_path / "one").glob("adlb-*-of-00001.xpt"))) == 1
    for dataset in DATASETS:
        pd.testing.assert_frame_equal(
            read(tmp_path / "three", dataset.name), read(tmp_path / "one", dataset.name)
        )


def test_a_block_does_not_depend_on_the_number_of_later_blocks() -> None:
    sites = 20
    short = simulate(SyntheticTrial(subjects=1_000, sites=sites), 0).datasets["adlb"]
    long = simulate(SyntheticTrial(subjects=5_000, sites=sites), 0).datasets["adlb"]
    assert all(
        np.array_equal(short[name], long[name], equal_nan=name == "AVAL") for name in each(short)
    )


def test_another_seed_is_another_trial(tmp_path: Path) -> None:
    write(SyntheticTrial(subjects=100, seed=1), str(tmp_path / "a"))
    write(SyntheticTrial(subjects=100, seed=2), str(tmp_path / "b"))
    first, second = files(tmp_path / "a"), files(tmp_path / "b")
    assert first.keys() == second.keys()
    assert all(first[name] != second[name] for name in first)


def test_a_complete_trial_is_left_as_it_is(tmp_path: Path) -> None:
    trial = SyntheticTrial(subjects=100)
    write(trial, str(tmp_path))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    write(trial, str(tmp_path))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_an_interrupted_write_leaves_no_manifest_and_is_redone(tmp_path: Path) -> None:
    trial = SyntheticTrial(subjects=2_000, subjects_per_shard=1_000)
    write(trial, str(tmp_path / "whole"))
    broken = tmp_path / "broken"
    obstacle = broken / "adlb-00001-of-00002.xpt"
    obstacle.mkdir(parents=True)
    with pytest.raises(Exception, match="Rename operation failed"):
        write(trial, str(broken))
    assert not (broken / "manifest.json").exists()
    obstacle.rmdir()
    write(trial, str(broken))
    assert files(broken) == files(tmp_path / "whole")


def test_a_damaged_shard_without_manifest_is_written_again(tmp_path: Path) -> None:
    trial = SyntheticTrial(subjects=100)
    write(trial, str(tmp_path))
    whole = files(tmp_path)
    (tmp_path / "manifest.json").unlink()
    (tmp_path / "adsl-00000-of-00001.xpt").write_bytes(b"half")
    write(trial, str(tmp_path))
    assert files(tmp_path) == whole


def test_the_manifest_names_the_parameters_and_the_version(folder: Any) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["trial"]["subjects"] == 2_000
    assert manifest["trial"]["seed"] == 7
    assert manifest["version"] == 1


def test_the_folder_of_another_trial_is_refused(tmp_path: Path) -> None:
    write(SyntheticTrial(subjects=100), str(tmp_path))
    before = files(tmp_path)
    with pytest.raises(UserError, match=r"manifest\.json describes another trial"):
        write(SyntheticTrial(subjects=101), str(tmp_path))
    assert files(tmp_path) == before


def test_a_shard_of_another_trial_is_refused(tmp_path: Path) -> None:
    stranger = tmp_path / "adsl-00000-of-00009.xpt"
    stranger.touch()
    with pytest.raises(UserError, match=r"adsl-00000-of-00009\.xpt is a shard of another trial"):
        write(SyntheticTrial(subjects=100), str(tmp_path))


@pytest.mark.parametrize("subjects", [-1, 0, 99, 1_000_001])
def test_sizes_outside_100_to_1_000_000_are_refused(subjects: Any) -> None:
    with pytest.raises(UserError, match=f"subjects is {subjects}; expected 100 to 1,000,000"):
        SyntheticTrial(subjects)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("seed", -1),
        ("sites", 0),
        ("sites", 1_000),
        ("subjects_per_shard", 1_500),
        ("subjects_per_shard", 0),
        ("lab_missing", 1.0),
        ("smoking_missing", -0.1),
    ],
)
def test_parameters_out_of_range_are_refused(parameter: Any, value: Any) -> None:
    with pytest.raises(UserError, match=parameter):
        SyntheticTrial(subjects=100, **{parameter: value})


def test_the_command_line_reports_a_bad_size_without_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["synthetic", "--subjects", "5", "--out", str(tmp_path)]) == 2
    assert "subjects is 5" in capsys.readouterr().err


def test_the_command_line_writes_the_trial(tmp_path: Path) -> None:
    assert main(["synthetic", "--subjects", "120", "--seed", "3", "--out", str(tmp_path)]) == 0
    assert len(read(tmp_path, "adsl")) == 120


def test_the_help_needs_no_beam() -> None:
    code = "import sys, pipeline.synthetic; sys.exit('apache_beam' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_study_file_refers_only_to_columns_that_exist() -> None:
    study = load_study(ROOT / "schema" / "synthetic" / "study.yaml")
    existing = {d.name: {column.name for column in d.columns} for d in DATASETS}
    for name in each(study.datasets):
        assert set(study.columns_used(name)) <= existing[name]
    assert set(study.tasks) == set(TASKS)
