import numpy as np
import pyarrow as pa

from pipeline.reading.typed import numbers_of, without_codes
from pipeline.study.sections import Column


def test_text_that_is_a_number_is_read_as_one() -> None:
    found = numbers_of(pa.array(["1", "2.5", None]), Column())
    assert found.values.to_pylist() == [1.0, 2.5, None]


def test_text_that_is_no_number_is_marked_and_missing() -> None:
    found = numbers_of(pa.array(["1", "high", None]), Column())
    assert found.values.to_pylist() == [1.0, None, None]
    assert found.not_a_number.tolist() == [False, True, False]


def test_a_number_that_is_a_code_is_missing_and_no_fault() -> None:
    found = numbers_of(pa.array([9.0, 4.0]), Column(missing=(9,), range=(0, 5)))
    assert found.values.to_pylist() == [None, 4.0]
    assert not found.out_of_range.any()


def test_a_number_outside_its_range_is_marked() -> None:
    found = numbers_of(pa.array([17.0, 18.0, 101.0]), Column(range=(18, 100)))
    assert found.out_of_range.tolist() == [True, False, True]


def test_an_infinite_number_is_marked() -> None:
    found = numbers_of(pa.array([np.inf, 1.0]), Column())
    assert found.not_finite.tolist() == [True, False]


def test_text_that_is_a_code_is_missing() -> None:
    assert without_codes(pa.array(["UNK", "Y"]), Column(missing=("UNK",))).to_pylist() == [
        None,
        "Y",
    ]
