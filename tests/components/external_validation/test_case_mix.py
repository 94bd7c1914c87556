"""Features of two small trials whose statistics TensorFlow Data Validation made."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
import tensorflow_data_validation as tfdv

from components.external_validation.case_mix import compare_case_mix, observed_rate
from pipeline.results.validation import CaseMixFeature


def statistics(**columns: list[Any]) -> Any:
    return tfdv.generate_statistics_from_dataframe(pd.DataFrame(columns), n_jobs=1).datasets[0]


def compared(
    training: dict[str, list[Any]], validation: dict[str, list[Any]], smallest_group: int = 3
) -> dict[str, CaseMixFeature]:
    numbers = {"AGE": "age"} if "AGE" in validation else {}
    categories = {"SEX": "sex"} if "SEX" in validation else {}
    found = compare_case_mix(
        statistics(**training), statistics(**validation), numbers, categories, smallest_group
    )
    return {feature.name: feature for feature in found}


def test_a_number_has_means_and_their_standardised_difference() -> None:
    age = compared({"age": [40.0, 50.0, 60.0]}, {"AGE": [50.0, 60.0, 70.0, 60.0]})["AGE"]

    assert age.training is not None
    assert age.training.mean == pytest.approx(50)
    assert age.validation.mean == pytest.approx(60)
    spread = ((age.training.sd or 0) ** 2 + (age.validation.sd or 0) ** 2) / 2
    assert age.difference == pytest.approx(10 / spread**0.5)


def test_a_category_has_shares_and_their_largest_difference() -> None:
    sex = compared({"sex": ["F"] * 5 + ["M"] * 5}, {"SEX": ["F"] * 3 + ["M"] * 9})["SEX"]

    assert [(item.value, item.share) for item in sex.validation.values] == [
        ("M", 0.75),
        ("F", 0.25),
    ]
    assert sex.difference == pytest.approx(0.25)


def test_a_rare_value_is_counted_with_the_next_larger_one() -> None:
    """With F alone left out, its number would follow from the total."""
    sex = compared({"sex": ["F"] * 5 + ["M"] * 5}, {"SEX": ["F"] * 2 + ["M"] * 8 + ["X"] * 4})

    shown = sex["SEX"].validation.values
    assert [(item.value, round(item.share, 3)) for item in shown] == [
        ("M", round(8 / 14, 3)),
        (None, round(6 / 14, 3)),
    ]


@pytest.mark.parametrize(("missing", "shown"), [(0, 0.0), (2, None), (5, 5 / 15)])
def test_a_small_number_of_missing_values_is_suppressed(missing: int, shown: float | None) -> None:
    ages = [50.0 + i for i in range(15 - missing)] + [float("nan")] * missing
    age = compared({"age": [40.0, 50.0, 60.0]}, {"AGE": ages})["AGE"]

    assert age.validation.missing == shown


def test_a_feature_that_the_training_statistics_lack_has_no_difference() -> None:
    age = compared({"weight": [1.0, 2.0, 3.0]}, {"AGE": [40.0, 50.0, 60.0]})["AGE"]

    assert age.training is None
    assert age.difference is None


def test_a_feature_of_too_few_subjects_is_not_described() -> None:
    age = compared({"age": [40.0, 50.0, 60.0]}, {"AGE": [40.0, 50.0]})["AGE"]

    assert age.validation.mean is None
    assert age.validation.missing is None


def test_the_rate_of_the_outcome_is_that_of_known_labels() -> None:
    found = statistics(label_event=[1.0, 0.0, 0.0, 0.0], weight_event=[1.0, 1.0, 0.0, 0.0])

    assert observed_rate(found, "event", {"event/observed_rate": 0.7}) == pytest.approx(0.5)
    assert observed_rate(found, "other", {"other/observed_rate": 0.7}) is None


def test_the_rate_of_weighted_labels_is_that_of_the_models_evaluation() -> None:
    found = statistics(label_event=[1.0, 0.0, 0.0, 0.0], weight_event=[1.0, 1.5, 1.5, 0.0])

    assert observed_rate(found, "event", {"event/observed_rate": 0.25}) == 0.25
    assert observed_rate(found, "event", {}) is None


def test_months_for_years_and_words_for_codes_are_noticed() -> None:
    training: dict[str, list[Any]] = {"age": [50.0, 60.0, 70.0] * 4, "sex": ["F", "M", "M"] * 4}
    months: dict[str, list[Any]] = {
        "AGE": [600.0, 720.0, 840.0] * 4,
        "SEX": ["female", "male", "male"] * 4,
    }

    found = compared(training, months)

    assert found["AGE"].is_foreign
    assert found["SEX"].is_foreign


def test_an_older_trial_with_a_further_code_is_none() -> None:
    training: dict[str, list[Any]] = {"age": [50.0, 60.0, 70.0] * 4, "sex": ["F", "M", "M"] * 4}
    older: dict[str, list[Any]] = {"AGE": [60.0, 70.0, 80.0] * 4, "SEX": ["F", "U", "U"] * 4}

    found = compared(training, older)

    assert not found["AGE"].is_foreign
    assert not found["SEX"].is_foreign
