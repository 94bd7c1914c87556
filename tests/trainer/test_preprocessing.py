from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trainer.trainer_study import transform
from trainer.features import ModelInputs

INPUTS = ModelInputs(("age", "dose", "never"), ("sex", "empty"), ("death",))
AGES = [50.0, 70.0] * 5


def row(
    age: Any = (), sex: Any = (), label: Any = (1.0,), weight: Any = (1.0,), dose: Any = (1.0,)
) -> Any:
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
def graph(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tmp_path_factory.mktemp("preprocessing") / "graph"


@pytest.fixture(scope="module")
def transformed(graph: Any) -> Any:
    """Ten subjects of 50 or 70 years, M before F; then one without values, one rare, one NaN."""
    common = [row([age], [b"M" if index < 5 else b"F"]) for index, age in enumerate(AGES)]
    odd = [row(label=(), weight=()), row([60.0], [b"X"], label=[0.0]), row([np.nan], [b""])]
    return transform([*common, *odd, *[row([60.0], [b"M"])]], INPUTS, graph)


def test_number_is_its_distance_from_the_mean_of_observed_values_in_standard_deviations(
    transformed: Any,
) -> None:
    deviation = np.std([*AGES, 60.0, 60.0])

    assert transformed[0]["numbers"][0] == pytest.approx(-10 / deviation, rel=1e-5)
    assert transformed[1]["numbers"][0] == pytest.approx(10 / deviation, rel=1e-5)
    assert transformed[11]["numbers"][0] == pytest.approx(0.0, abs=1e-6)


def test_missing_number_is_zero_and_says_so(transformed: Any) -> None:
    assert transformed[10]["numbers"][0] == 0.0
    assert transformed[10]["numbers"][3] == 1.0
    assert transformed[0]["numbers"][3] == 0.0


def test_nan_counts_as_missing(transformed: Any) -> None:
    assert transformed[12]["numbers"][0] == 0.0
    assert transformed[12]["numbers"][3] == 1.0


def test_constant_number_is_zero(transformed: Any) -> None:
    assert {subject["numbers"][1] for subject in transformed} == {0.0}


def test_number_without_any_value_is_zero_and_missing(transformed: Any) -> None:
    assert {subject["numbers"][2] for subject in transformed} == {0.0}
    assert {subject["numbers"][5] for subject in transformed} == {1.0}


def test_categories_are_coded_by_frequency_with_rare_ones_and_missing_apart(
    transformed: Any,
) -> None:
    sex = [int(subject["categories"][0]) for subject in transformed]

    assert sex[0] == 0  # M: six subjects
    assert sex[5] == 1  # F: five subjects
    assert sex[11] == 2  # X: one subject, rare
    assert sex[10] == sex[12] == 4  # absent, and the empty text


def test_column_without_any_category_has_a_code_for_missing_of_its_own(transformed: Any) -> None:
    assert {int(subject["categories"][1]) for subject in transformed} == {5}


def test_no_label_and_no_weight_passes(transformed: Any) -> None:
    assert {*transformed[0]} == {"numbers", "categories"}


def test_columns_that_arrive_dense_keep_their_places_between_sparse_ones() -> None:
    import tensorflow as tf

    from trainer.preprocessing import matrix

    columns = {
        "dense": tf.constant([[1.0], [2.0]]),
        "of the first": tf.SparseTensor([[0, 0]], [3.0], [2, 1]),
        "of the second": tf.SparseTensor([[1, 0]], [4.0], [2, 1]),
        "dense as well": tf.constant([[5.0], [6.0]]),
    }

    found = matrix(columns, tuple(columns), tf.float32, 0.0)

    assert found.numpy().tolist() == [[1.0, 3.0, 0.0, 5.0], [2.0, 0.0, 4.0, 6.0]]


def test_encoding_counts_every_code_that_transform_can_write(transformed: Any, graph: Any) -> None:
    import tensorflow_transform as tft

    from trainer.examples import read_encoding

    encoding = read_encoding(tft.TFTransformOutput(str(graph)), INPUTS)

    codes = np.array([subject["categories"] for subject in transformed])
    assert (encoding.numbers, encoding.categories) == (6, 2)
    assert encoding.codes == 6  # M, F, two for rare ones, two for missing
    assert np.all((codes >= 0) & (codes < encoding.codes))


ODD = (b"a\nb", b"a\rb", b"a\0b", b"a\\nb", b"a\x1fb", b" a ", b"\xff\xfe", "größe".encode())
NUMBERS = {
    "extreme": [0.0] * 99 + [1000.0],
    "platelets": [1_000_000.0 + step for step in (-1.0, 0.0, 1.0, 2.0)],
    "close": [999_999.0, 1_000_001.0] * 40 + [1_000_000.0],
    "tenth": [0.1] * 37,
}
TEXTS = {
    "note": [b"a\nb"] * 7 + [b"a\\nb"] * 6 + [b"a\x00b"] * 5,
    "left": [b"Y"] * 8,
    "right": [b"N"] * 6 + [b"Y"] * 2,
    "site": [b"b", b"a", b"c"] * 5,
    "odd": [value for value in ODD for _ in range(5)],
}
"""Values of the first subjects of a hundred; the others have none."""

COLUMNS = ModelInputs(tuple(NUMBERS), tuple(TEXTS), ("death",))


def hundred() -> list[Any]:
    return [
        {
            **{name: values[n : n + 1] for name, values in (NUMBERS | TEXTS).items()},
            "label_death": [0.0],
            "weight_death": [1.0],
        }
        for n in range(100)
    ]


@pytest.fixture(scope="module")
def columns_graph(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tmp_path_factory.mktemp("columns") / "graph"


@pytest.fixture(scope="module")
def columns(columns_graph: Any) -> Any:
    """The hundred subjects, transformed."""
    return transform(hundred(), COLUMNS, columns_graph)


@pytest.fixture(scope="module")
def vocabulary(columns: Any, columns_graph: Any) -> Any:
    """Categories that have a code, each after the number of its column."""
    import tensorflow_transform as tft

    del columns
    return tft.TFTransformOutput(str(columns_graph)).vocabulary_by_name("categories")


def scores(columns: Any, name: str) -> list[float]:
    place = tuple(NUMBERS).index(name)
    return [subject["numbers"][place] for subject in columns[: len(NUMBERS[name])]]


def codes(columns: Any, name: str) -> list[int]:
    place = tuple(TEXTS).index(name)
    return [int(subject["categories"][place]) for subject in columns[: len(TEXTS[name])]]


def known(vocabulary: Any, name: str) -> list[bytes]:
    column = b"%d\x1f" % tuple(TEXTS).index(name)
    return [entry.removeprefix(column) for entry in vocabulary if entry.startswith(column)]


def test_extreme_number_is_held_at_five_deviations(columns: Any) -> None:
    assert scores(columns, "extreme")[99] == 5.0


def test_deviation_is_exact_where_the_mean_is_a_million_times_larger(columns: Any) -> None:
    values = np.array(NUMBERS["platelets"])
    expected = (values - np.mean(values)) / np.std(values)
    assert scores(columns, "platelets") == pytest.approx(expected, rel=1e-6)


def test_small_deviation_around_a_large_mean_is_kept(columns: Any) -> None:
    values = np.array(NUMBERS["close"])
    expected = (values - np.mean(values)) / np.std(values)
    np.testing.assert_allclose(scores(columns, "close"), expected, rtol=1e-6, atol=1e-9)


def test_constant_that_binary_cannot_hold_is_zero(columns: Any) -> None:
    assert set(scores(columns, "tenth")) == {0.0}


def test_a_category_with_a_line_break_has_a_code_of_its_own(columns: Any) -> None:
    found = codes(columns, "note")

    assert found == [found[0]] * 7 + [found[7]] * 6 + [found[13]] * 5
    assert found[0] < found[7] < found[13]


def test_equally_frequent_categories_are_coded_in_the_same_order_whatever_the_rows(
    columns: Any, tmp_path: Path
) -> None:
    backward = transform(hundred()[::-1], COLUMNS, tmp_path / "backward")[::-1]

    for name in TEXTS:
        assert codes(columns, name) == codes(backward, name)


def test_same_category_of_two_columns_has_two_codes_and_two_counts(
    columns: Any, vocabulary: Any
) -> None:
    assert known(vocabulary, "left") == [b"Y"]
    assert known(vocabulary, "right") == [b"N"]
    assert vocabulary[codes(columns, "left")[0]] == b"1\x1fY"
    assert vocabulary[codes(columns, "right")[0]] == b"2\x1fN"
    # Y is rare on the right: after the known ones, one rare per column.
    assert codes(columns, "right")[7] == len(vocabulary) + 2


def test_equally_frequent_categories_are_in_reverse_order_of_their_texts(
    columns: Any, vocabulary: Any
) -> None:
    assert known(vocabulary, "site") == [b"c", b"b", b"a"]
    assert [vocabulary[code] for code in codes(columns, "site")[:3]] == [
        b"3\x1fb",
        b"3\x1fa",
        b"3\x1fc",
    ]


def test_categories_with_line_breaks_and_other_odd_bytes_have_codes_of_their_own(
    columns: Any, vocabulary: Any
) -> None:
    found = codes(columns, "odd")

    assert len(known(vocabulary, "odd")) == len(ODD)
    assert len(set(found)) == len(ODD)
    assert max(found) < len(vocabulary)
