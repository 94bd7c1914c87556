"""Rows of predictions as Parquet."""

from __future__ import annotations

import io

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.results.scored_file import ScoredRows, content_of_part


def rows(**outputs: NDArray[np.float32]) -> ScoredRows:
    return ScoredRows(
        subjects=np.array(["aa", "bb", "cc"], object),
        outputs={name.replace("__", "/"): values for name, values in outputs.items()},
        flags={
            ("outside_population", None): np.array([False, True, False]),
            ("out_of_range", "AGE"): np.array([False, True, True]),
        },
        refused=np.array([False, True, False]),
        model="0123456789abcdef",
    )


def written(of: ScoredRows) -> dict[str, list[object]]:
    found: dict[str, list[object]] = pq.read_table(io.BytesIO(content_of_part(of))).to_pydict()
    return found


def test_every_output_of_the_signature_is_a_column_with_its_task_first() -> None:
    values = np.array([[0.25], [0.5], [0.75]], np.float32)

    found = written(rows(death__upper=values, death__lower=values, death=values, alive=values))

    assert list(found) == [
        *("subject_hash", "alive", "death", "death/lower", "death/upper", "flags", "model"),
    ]


def test_who_is_refused_has_no_number() -> None:
    found = written(rows(death=np.array([[0.25], [0.5], [0.75]], np.float32)))

    assert found["death"] == [0.25, None, 0.75]
    assert found["flags"] == [[], ["outside_population", "out_of_range:AGE"], ["out_of_range:AGE"]]


def test_an_output_that_is_no_number_of_each_subject_is_refused() -> None:
    with pytest.raises(UserError, match="Output curve of the model"):
        content_of_part(rows(curve=np.zeros((3, 10), np.float32)))
