import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


WRITTEN = [("9", None), ("9.0", None), ("09", None), ("9e0", None), ("99", "99"), ("x", "x")]


@pytest.mark.parametrize("code", [9, 9.0])
def test_a_code_that_is_a_number_matches_a_number_however_it_is_written(code: float) -> None:
    texts, kept = zip(*WRITTEN, strict=True)
    assert without_codes(pa.array(texts), Column(missing=(code,))).to_pylist() == list(kept)
    numbers = numbers_of(pa.array(texts[:5]), Column(missing=(code,)))
    assert numbers.values.to_pylist() == [None, None, None, None, 99.0]


def test_a_code_of_text_matches_as_it_is_written_and_numbers_as_a_number() -> None:
    column = Column(missing=("9.0", "UNK"))
    assert without_codes(pa.array(["9", "9.0", "UNK"]), column).to_pylist() == ["9", None, None]
    assert numbers_of(pa.array([9.0, 1.0]), column).values.to_pylist() == [None, 1.0]
    assert numbers_of(pa.array(["9", "UNK", "1"]), column).values.to_pylist() == [None, None, 1.0]


def test_with_a_decimal_comma_a_point_makes_no_number() -> None:
    texts = pa.array(["60,1", "-,5", "7", "60.1", "1.234,5", "1,234,5", None, "1e-2"])
    found = numbers_of(texts, Column(), ",")
    assert found.values.to_pylist() == [60.1, -0.5, 7.0, None, None, None, None, 0.01]
    assert found.not_a_number.tolist() == [False] * 3 + [True] * 3 + [False] * 2


def test_with_a_decimal_point_a_comma_makes_no_number() -> None:
    found = numbers_of(pa.array(["60,1", "1,234", "1,234.5", "2.5"]), Column())
    assert found.not_a_number.tolist() == [True, True, True, False]


WORDS = ("nan", "-nan", "NaN", "inf", "+inf", "-Infinity", "1e999", "+5", " 7 ", "5.", ".5")
NUMBER_TEXTS = st.one_of(
    st.floats().map(repr),
    st.sampled_from(WORDS),
    st.text("0123456789+-.eE ", max_size=6),
    st.text("\u0661\u0662\uff15", min_size=1, max_size=2),
)


@given(NUMBER_TEXTS, st.lists(st.one_of(NUMBER_TEXTS, st.just("UNK")), max_size=3))
def test_what_a_text_is_read_as_does_not_depend_on_its_neighbours(
    text: str, others: list[str]
) -> None:
    alone = numbers_of(pa.array([text]), Column())
    beside = numbers_of(pa.array([text, *others]), Column())
    np.testing.assert_equal(alone.values.to_numpy(False), beside.values.to_numpy(False)[:1])
    assert alone.not_a_number[0] == beside.not_a_number[0]
    assert alone.not_finite[0] == beside.not_finite[0]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_keeps_its_last_digit_beside_text_that_is_no_number(number: float) -> None:
    assert numbers_of(pa.array([repr(number), "UNK"]), Column()).values[0].as_py() == number


@pytest.mark.parametrize("text", ["\u0661\u0662", "\uff15", "0x10", "1_000", "1.2.3", "5 mg"])
def test_a_number_is_written_in_digits_of_ascii(text: str) -> None:
    assert numbers_of(pa.array([text]), Column()).not_a_number.tolist() == [True]
