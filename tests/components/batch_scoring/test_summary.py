"""What is shown of predictions: sums, and no group below the smallest."""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from components.batch_scoring.settings import BatchScoringSettings
from components.batch_scoring.summary import Totals, risk_bands
from pipeline.results.scored_file import ScoredRows, content_of_part
from pipeline.study.sections import Scoring
from tests.each import each

SETTINGS = BatchScoringSettings(
    study_name="first",
    title="The first trial",
    numbers=("AGE",),
    categories=(),
    titles={"death": "Death within a year"},
    scoring=Scoring(out_of_range="refuse"),
    smallest_group=20,
)


def totals(
    risks: NDArray[np.float64],
    flags: Mapping[tuple[str, str | None], int] | None = None,
    refused: int = 0,
) -> Totals:
    """Of subjects with some risks, of whom the first ones have a flag, or are refused."""
    n = len(risks)
    rows = ScoredRows(
        subjects=np.array([f"{number}" for number in range(n)], object),
        outputs={"death": risks.astype(np.float32), "death/lower": risks.astype(np.float32)},
        flags={flag: np.arange(n) < number for flag, number in (flags or {}).items()},
        refused=np.arange(n) < refused,
        model="m",
    )
    found = Totals()
    found.add(pq.read_table(io.BytesIO(content_of_part(rows))))
    return found


def test_the_mean_is_that_of_the_predicted_subjects() -> None:
    risks = np.array([0.9] * 50 + [0.2] * 50)

    (everyone,) = totals(risks).tasks(SETTINGS)
    (predicted,) = totals(risks, refused=50).tasks(SETTINGS)

    assert (everyone.mean, predicted.mean) == (0.55, 0.2)
    assert everyone.outputs == ("death", "death/lower")


def test_of_few_subjects_nothing_is_shown() -> None:
    (task,) = totals(np.full(19, 0.4)).tasks(SETTINGS)

    assert (task.mean, task.bands) == (None, ())


def test_a_flag_of_few_subjects_or_of_nearly_all_has_no_number() -> None:
    flags = {
        ("left_by_landmark", None): 19,
        ("outside_population", None): 20,
        ("unknown_category", "SEX"): 81,
        ("missing_value", "AGE"): 100,
    }
    found = totals(np.full(100, 0.4), flags).flags(SETTINGS)

    assert [(item.flag, item.subjects) for item in found] == [
        ("outside_population", 20),
        ("left_by_landmark", None),
        ("unknown_category", None),
        ("missing_value", 100),
    ]


def test_a_flag_says_what_happened_to_its_subjects() -> None:
    found = totals(np.full(100, 0.4), {("out_of_range", "AGE"): 30}).flags(SETTINGS)

    assert [(item.feature, item.reaction) for item in found] == [("AGE", "refuse")]


def test_parts_are_added() -> None:
    found = totals(np.full(30, 0.2))
    other = totals(np.full(10, 0.6))
    found.add(
        pq.read_table(
            io.BytesIO(
                content_of_part(
                    ScoredRows(
                        np.array(["x"] * 10, object),
                        {"death": np.full(10, 0.6, np.float32)},
                        {},
                        np.zeros(10, bool),
                        "m",
                    )
                )
            )
        )
    )

    assert (found.subjects, other.subjects) == (40, 10)
    assert found.tasks(SETTINGS)[0].mean == pytest.approx(0.3)


def test_a_band_of_few_subjects_joins_the_next() -> None:
    cells = np.zeros(1000, np.int64)
    cells[50], cells[150], cells[850] = 30, 5, 40

    bands = risk_bands(cells, smallest_group=20)

    assert [(band.lower, band.upper) for band in bands] == [(0.0, 0.1), (0.1, 1.0)]
    assert [band.share for band in bands] == [0.4, 0.6]


@pytest.mark.parametrize("seed", range(20))
def test_every_band_has_as_many_subjects_as_may_be_shown(seed: int) -> None:
    random = np.random.default_rng(seed)
    cells = random.poisson(random.choice([0.02, 0.2]), 1000)
    cells[0] += 20

    bands = risk_bands(cells, smallest_group=20)

    edges = [round(band.lower * 1000) for band in bands] + [1000]
    sizes = [cells[start:end].sum() for start, end in itertools.pairwise(edges)]
    assert edges[0] == 0
    assert min(each(sizes)) >= 20
