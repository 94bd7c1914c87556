"""What the training subjects had of each feature, from statistics made by TFDV."""

from __future__ import annotations

import pandas as pd
import tensorflow_data_validation as tfdv

from pipeline.skew.training_values import SeenValues, seen_values

SUBJECTS = pd.DataFrame(
    {
        "AGE": [40.0, 50.0, 60.0, 70.0],
        "BMI": [20.0, 25.0, None, 30.0],
        "SEX": ["F", "M", "M", "F"],
        "RACE": ["A", None, "B", "A"],
    }
)


def of_subjects() -> dict[str, SeenValues]:
    statistics = tfdv.generate_statistics_from_dataframe(SUBJECTS, n_jobs=1).datasets[0]
    return seen_values(statistics, ["AGE", "BMI", "NEW"], ["SEX", "RACE"])


def test_of_a_number_the_range_is_known() -> None:
    age = of_subjects()["AGE"]

    assert (age.lower, age.upper, age.categories) == (40.0, 70.0, None)


def test_of_a_category_all_values_are_known() -> None:
    assert of_subjects()["RACE"].categories == {"A", "B"}


def test_whether_a_value_was_ever_missing_is_known() -> None:
    found = of_subjects()

    assert {name: of.always_present for name, of in found.items()} == {
        "AGE": True,
        "BMI": False,
        "SEX": True,
        "RACE": False,
    }
    assert found["BMI"].share_missing == 0.25


def test_nothing_is_known_of_a_feature_that_the_model_was_not_trained_on() -> None:
    assert "NEW" not in of_subjects()


def test_categories_that_the_statistics_do_not_list_are_not_known() -> None:
    many = pd.DataFrame({"CODE": [f"C{number}" for number in range(60)]})
    options = tfdv.StatsOptions(num_rank_histogram_buckets=50)
    statistics = tfdv.generate_statistics_from_dataframe(many, options, n_jobs=1)

    assert seen_values(statistics.datasets[0], [], ["CODE"])["CODE"].categories is None
