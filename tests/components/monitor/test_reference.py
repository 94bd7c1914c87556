"""What a model's predictions are compared with: its training subjects, and its evaluation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from components.monitor.drift import came
from components.monitor.reference import TrainingInput, evaluated_tasks, risk_bins, training_inputs
from pipeline.monitoring.drift import distance_of_bins
from pipeline.monitoring.tallies import Tally
from pipeline.results.predictions import Predictions, write_predictions
from pipeline.results.registration import RegisteredModel
from pipeline.runs.divisions import division_folder
from pipeline.skew.bins import OTHER_CATEGORY, binned_inputs, input_bins
from pipeline.skew.coarse_statistics import coarse_statistics
from pipeline.skew.training_values import seen_values
from tests.described_subjects import columns_of, described

SMALLEST = 20
NUMBERS, CATEGORIES = ["AGE", "COUNT"], ["SEX"]


def trial(seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "AGE": np.where(random.random(1_000) < 0.1, np.nan, random.normal(60, 10, 1_000)),
            "COUNT": random.poisson(1, 1_000).astype(float),
            "SEX": random.choice(["F", "M"], 1_000),
        }
    )


def test_the_training_subjects_themselves_are_no_distance_from_training() -> None:
    subjects = trial(1)
    kept = coarse_statistics(described(subjects), columns_of(subjects), SMALLEST).datasets[0]
    seen = seen_values(kept, NUMBERS, CATEGORIES)
    logged = binned_inputs(
        columns_of(subjects), input_bins(seen, NUMBERS, CATEGORIES, SMALLEST)
    ).to_pylist()

    found = {item.name: item for item in training_inputs(kept, NUMBERS, CATEGORIES, SMALLEST)}
    assert set(found) == {"AGE", "COUNT", "SEX"}
    for name in ("AGE", "COUNT", "SEX"):
        training = found[name]
        now = came(
            dict(Tally.of([dict(of)[name] for of in logged], np.ones((1_000, 1))).sums), training
        )
        assert dict(now.bins) == pytest.approx(dict(training.counts))
        assert now.missing == pytest.approx(training.missing)
        distance = distance_of_bins(now.bins, training.counts, 1)
        assert distance is not None
        assert distance.distance == pytest.approx(0)


def kept_of(subjects: pd.DataFrame) -> TrainingInput:
    """The only column of the training subjects, as the registry keeps it for a monitoring."""
    kept = coarse_statistics(described(subjects), columns_of(subjects), SMALLEST).datasets[0]
    name = str(subjects.columns[0])
    is_number = subjects[name].dtype != object
    (found,) = training_inputs(kept, [name] * is_number, [name] * (not is_number), SMALLEST)
    return found


def tally(counts: dict[str | None, int]) -> dict[object, object]:
    names = [name for name, count in counts.items() for _ in range(count)]
    return dict(Tally.of(names, np.ones((len(names), 1))).sums)


@pytest.mark.parametrize("missing", [1, 2, 19])
def test_as_few_missing_as_in_training_are_no_change(missing: int) -> None:
    ages = pd.Series(np.arange(1_000.0) % 50)
    ages[:missing] = np.nan
    training = kept_of(pd.DataFrame({"AGE": ages}))
    counts: dict[str | None, int] = {name: int(n) for name, n in training.counts.items()}
    # What the statistics have too much, or too little, is in the largest bin.
    counts[training.largest] += 1_000 - missing - sum(counts.values())

    now = came(tally({**counts, None: missing}), training)

    assert now.missing == pytest.approx(training.missing) == pytest.approx(SMALLEST / 2)
    assert dict(now.bins) == pytest.approx(dict(training.counts))


def test_far_more_missing_than_in_training_are_a_change() -> None:
    ages = pd.Series(np.arange(1_000.0) % 50)
    ages[:2] = np.nan
    training = kept_of(pd.DataFrame({"AGE": ages}))

    assert came(tally({"1": 950, None: 50}), training).missing == 50


def test_categories_without_a_count_are_where_those_of_training_are() -> None:
    """The nine of one category and the six of another have no count; "F" has that of the few."""
    training = kept_of(pd.DataFrame({"SEX": ["F"] * 600 + ["M"] * 385 + ["X"] * 9 + ["Y"] * 6}))
    assert training.counts["X"] == 0

    now = came(tally({"F": 600, "M": 385, "X": 9, "Y": 6}), training)
    many = came(tally({"F": 600, "M": 200, "X": 200}), training)

    assert {name: n for name, n in now.bins.items() if n} == {"F": 615, "M": 385}
    assert many.bins[OTHER_CATEGORY] == 200


def test_categories_that_the_log_does_not_name_are_one_bin() -> None:
    names = [f"C{number}" for number in range(400)]
    training = kept_of(pd.DataFrame({"SITE": ["A"] * 600 + names}))

    assert dict(training.counts) == {OTHER_CATEGORY: 1_000}
    assert training.outside == frozenset()


def test_a_number_beyond_the_limits_is_outside_and_in_the_outermost_bin() -> None:
    training = TrainingInput(
        "AGE", {"1": 10.0, "2": 10.0}, 0.0, frozenset({"0", "3"}), 20.0, ("0", "1", "2", "3")
    )

    found = came(dict(Tally.of(["0", "1", "3", "3", None], np.ones((5, 1))).sums), training)

    assert (dict(found.bins), found.outside, found.missing) == ({"1": 2, "2": 2}, 3, 1)


def entry(folder: Path) -> RegisteredModel:
    return RegisteredModel(
        study="pilot",
        split_seed=1,
        label_digest="",
        study_digest="",
        fingerprint="",
        code_version="",
        run="",
        metrics={},
        id="c" * 16,
        registered_at="",
        model_uri="",
        statistics_uri="",
        documents_uri=str(folder),
    )


def record(metric: str, value: float, reach: float) -> dict[str, object]:
    return {
        **{"task": "death", "slice": {}, "metric": metric, "decision_threshold": None},
        **{"model": "challenger", "value": value, "lower": value - reach, "upper": value + reach},
        **{"subjects": 1_000, "positives": 250},
    }


def test_the_evaluation_is_that_of_the_models_card(tmp_path: Path) -> None:
    records = [
        record("auc", 0.75, 0.0196),
        record("brier", 0.17, 0.01),
        record("calibration_in_the_large", 0.1, 0.02),
    ]
    metrics = {"smallest_group": 20, "records": records, "suppressed": []}
    (tmp_path / "card.json").write_text(json.dumps({"evidence": {"metrics": metrics}}))

    found = evaluated_tasks(entry(tmp_path))["death"]

    assert found.metrics["auc"].value == 0.75
    assert found.alarm is not None
    assert found.alarm.auc_error == pytest.approx(0.01, abs=1e-5)
    assert found.alarm.error_variance == pytest.approx(0.17 - 0.01)
    assert (found.alarm.subjects, found.alarm.events) == (1_000, 250)


def test_without_a_card_there_is_no_reference(tmp_path: Path) -> None:
    assert evaluated_tasks(entry(tmp_path)) == {}
    assert risk_bins(str(tmp_path / "registry"), entry(tmp_path), SMALLEST) == {}


def test_predicted_risks_are_those_that_the_model_was_evaluated_on(tmp_path: Path) -> None:
    folder = division_folder(str(tmp_path / "registry"), "pilot", "c" * 16)
    risks = np.linspace(0.01, 0.99, 500, dtype=np.float32)
    subjects = np.array([f"{number:03d}" for number in range(500)]).astype(bytes)
    first = np.zeros(500, np.int16)
    write_predictions(folder, Predictions(subjects, first, first, {"champion": {"death": risks}}))

    bins = risk_bins(str(tmp_path / "registry"), entry(tmp_path), SMALLEST)["death"]

    assert sum(bins.known.values()) == 500
    assert min(bins.known.values()) >= SMALLEST
    assert bins.names[0] == "1"
    lowest = bins.counts({0: 7.0})
    assert {name: count for name, count in lowest.items() if count} == {"1": 7.0}
