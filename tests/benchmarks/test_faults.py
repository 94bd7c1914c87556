"""Damaged files and random moments: what is wrong is said and fails the benchmark."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.faults import Fuzzed, fuzz, report, targets

_MOMENTS = [
    {"seconds": 1.5, "ended": False, "stages": ["Trainer"]},
    {"seconds": 9.0, "ended": True, "stages": []},
]


def test_the_report_has_a_row_for_each_format_and_moment() -> None:
    fuzzed = [Fuzzed("csv", 5_883, 61.2, ""), Fuzzed("xpt 5", 0, 3.0, "it crashed")]
    text = report(fuzzed, [*_MOMENTS, {"wrong": [], "roots": 2, "seconds": 40.0}])

    assert "| csv | 5,883 | 61 | yes |" in text
    assert "| xpt 5 | 0 | 3 | no |" in text
    assert "| 1.5 | Trainer | false |" in text
    assert "| 9.0 | none | true |" in text
    assert text.endswith("Wrong: nothing")


def test_what_is_wrong_after_the_moments_is_named() -> None:
    text = report([], [*_MOMENTS, {"wrong": ["a is empty", "b differs"]}])
    assert text.endswith("Wrong: a is empty; b differs")


@pytest.mark.slow
def test_every_format_is_a_target_and_so_many_of_its_files_are_read(tmp_path: Path) -> None:
    assert {"csv", "excel", "parquet", "sas7bdat", "stata", "xpt 8"} <= set(targets())

    found = fuzz("csv", 7, 1, tmp_path)

    assert (found.inputs, found.problem) == (7, "")
    assert [path.name for path in (tmp_path / "csv").iterdir()] == ["dm.csv"]
    assert fuzz("of no format", 1, 1, tmp_path).problem
