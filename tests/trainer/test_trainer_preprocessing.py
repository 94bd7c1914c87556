import numpy as np
import pytest
from trainer_study import transform

from trainer.features import ModelInputs

INPUTS = ModelInputs(("age", "dose", "never"), ("sex", "empty"), ("death",))
AGES = [50.0, 70.0] * 5


def row(age=(), sex=(), label=(1.0,), weight=(1.0,), dose=(1.0,)):
    return {
        "age": list(age),
        "dose": list(dose),
        "never": [],
        "sex": list(sex),
        "empty": [],
        "label_death": list(label),
        "weight_death": list(weight),
    }


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    return tmp_path_factory.mktemp("preprocessing") / "graph"


@pytest.fixture(scope="module")
def transformed(graph):
    """Ten subjects of 50 or 70 years, M before F; then one without values, one rare, one NaN."""
    common = [row([age], [b"M" if index < 5 else b"F"]) for index, age in enumerate(AGES)]
    odd = [row(label=(), weight=()), row([60.0], [b"X"], label=[0.0]), row([np.nan], [b""])]
    return transform([*common, *odd, *[row([60.0], [b"M"])]], INPUTS, graph)


def test_number_is_its_distance_from_the_mean_of_observed_values_in_standard_deviations(
    transformed,
):
    deviation = np.std([*AGES, 60.0, 60.0])

    assert transformed[0]["numbers"][0] == pytest.approx(-10 / deviation, rel=1e-5)
    assert transformed[1]["numbers"][0] == pytest.approx(10 / deviation, rel=1e-5)
    assert transformed[11]["numbers"][0] == pytest.approx(0.0, abs=1e-6)


def test_missing_number_is_zero_and_says_so(transformed):
    assert transformed[10]["numbers"][0] == 0.0
    assert transformed[10]["numbers"][3] == 1.0
    assert transformed[0]["numbers"][3] == 0.0


def test_nan_counts_as_missing(transformed):
    assert transformed[12]["numbers"][0] == 0.0
    assert transformed[12]["numbers"][3] == 1.0


def test_constant_number_is_zero(transformed):
    assert {subject["numbers"][1] for subject in transformed} == {0.0}


def test_number_without_any_value_is_zero_and_missing(transformed):
    assert {subject["numbers"][2] for subject in transformed} == {0.0}
    assert {subject["numbers"][5] for subject in transformed} == {1.0}


def test_categories_are_coded_by_frequency_with_rare_ones_and_missing_apart(transformed):
    sex = [int(subject["categories"][0]) for subject in transformed]

    assert sex[0] == 0  # M: six subjects
    assert sex[5] == 1  # F: five subjects
    assert sex[11] == 2  # X: one subject, out of vocabulary
    assert sex[10] == sex[12] == 3  # absent, and the empty text


def test_label_and_weight_pass_and_are_zero_where_absent(transformed):
    assert (transformed[0]["label_death"], transformed[0]["weight_death"]) == (1.0, 1.0)
    assert (transformed[11]["label_death"], transformed[11]["weight_death"]) == (0.0, 1.0)
    assert (transformed[10]["label_death"], transformed[10]["weight_death"]) == (0.0, 0.0)


def test_encoding_counts_every_code_that_transform_can_write(transformed, graph):
    import tensorflow_transform as tft

    from trainer.examples import read_encoding

    encoding = read_encoding(tft.TFTransformOutput(str(graph)), INPUTS)

    codes = np.array([subject["categories"] for subject in transformed])
    assert encoding.numbers == 6
    assert encoding.cardinalities[0] == 4
    assert np.all(codes < encoding.cardinalities)


def test_extreme_number_is_held_at_five_deviations(tmp_path):
    inputs = ModelInputs(("lab",), (), ("death",))
    rows = [{"lab": [0.0], "label_death": [0.0], "weight_death": [1.0]}] * 99
    extreme = {"lab": [1000.0], "label_death": [1.0], "weight_death": [1.0]}

    found = transform([*rows, extreme], inputs, tmp_path / "graph")

    assert found[99]["numbers"][0] == 5.0
