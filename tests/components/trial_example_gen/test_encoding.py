"""Columns become tf.Examples whose bytes depend on their content alone."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from tensorflow.core.example import example_pb2

from components.trial_example_gen.encoding import encode_examples


def _encoded(columns: dict[str, pa.Array]) -> list[bytes]:
    return list(encode_examples(columns).to_pylist())


def _parsed(encoded: bytes) -> dict[str, list[float] | list[bytes] | list[int]]:
    features = example_pb2.Example.FromString(encoded).features.feature
    return {
        name: list(feature.float_list.value)
        or list(feature.bytes_list.value)
        or list(feature.int64_list.value)
        for name, feature in features.items()
    }


def test_numbers_and_texts_are_read_back_by_protobuf() -> None:
    first, second = _encoded(
        {"AGE": pa.array([70.5, 61.0]), "SEX": pa.array(["F", "M"]), "ID": pa.array([b"a", b"b"])}
    )

    assert _parsed(first) == {"AGE": [70.5], "SEX": [b"F"], "ID": [b"a"]}
    assert _parsed(second) == {"AGE": [61.0], "SEX": [b"M"], "ID": [b"b"]}


def test_a_missing_value_is_a_feature_without_one() -> None:
    (encoded,) = _encoded(
        {"AGE": pa.array([None], pa.float64()), "SEX": pa.array([None], pa.string())}
    )

    assert _parsed(encoded) == {"AGE": [], "SEX": []}


def test_an_empty_text_is_a_value() -> None:
    (encoded,) = _encoded({"SEX": pa.array([""])})

    assert _parsed(encoded) == {"SEX": [b""]}


def test_a_list_of_integers_is_read_back_by_protobuf() -> None:
    folds = pa.FixedSizeListArray.from_arrays(pa.array([0, 127, 128, 300, 4, 70_000]), 3)

    first, second = _encoded({"folds": folds, "AGE": pa.array([70.5, None])})

    assert _parsed(first) == {"AGE": [70.5], "folds": [0, 127, 128]}
    assert _parsed(second) == {"AGE": [], "folds": [300, 4, 70_000]}


def test_text_that_is_coded_is_encoded_as_text() -> None:
    sex = pa.array(["F", None, "M", "F"])

    assert _encoded({"SEX": sex.dictionary_encode()}) == _encoded({"SEX": sex})


def test_the_order_of_the_columns_does_not_matter() -> None:
    age, sex = pa.array([70.0]), pa.array(["F"])

    assert _encoded({"AGE": age, "SEX": sex}) == _encoded({"SEX": sex, "AGE": age})


def test_there_are_no_examples_of_no_rows() -> None:
    assert _encoded({"AGE": pa.array([], pa.float64())}) == []


@given(
    st.lists(
        st.tuples(
            st.none() | st.floats(width=32, allow_nan=False),
            st.none() | st.text(max_size=300),
        ),
        max_size=5,
    ),
    st.tuples(st.text(max_size=200), st.text(max_size=200)).filter(lambda pair: pair[0] != pair[1]),
)
def test_every_example_is_the_one_that_protobuf_would_build(
    rows: list[tuple[float | None, str | None]], names: tuple[str, str]
) -> None:
    encoded = _encoded(
        {
            names[0]: pa.array([number for number, _ in rows], pa.float64()),
            names[1]: pa.array([text for _, text in rows], pa.string()),
        }
    )

    expected = []
    for number, text in rows:
        example = example_pb2.Example()
        numbers, texts = (example.features.feature[name] for name in names)
        if number is not None:
            numbers.float_list.value.append(number)
        if text is not None:
            texts.bytes_list.value.append(text.encode())
        expected.append(example)
    assert [example_pb2.Example.FromString(item) for item in encoded] == expected
    assert [len(item) for item in encoded] == [item.ByteSize() for item in expected]
