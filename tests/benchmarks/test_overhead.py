"""The benchmark beside plain TFX."""

from __future__ import annotations

from pathlib import Path

from benchmarks.overhead import Bench, Settings
from pipeline.study.load import load_study


def test_the_pipeline_accepts_both_study_files(tmp_path: Path) -> None:
    settings = Settings(steps=10, width=8, depth=1, batch_size=32, seed=1)
    without, with_references = Bench(10, settings, tmp_path, keep=False).write_study_files()
    assert load_study(without).training.reference_models == ()
    assert len(load_study(with_references).training.reference_models) == 3
