from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_model_analysis import constants

from components.evaluator import jackknife
from components.evaluator.extractors import _GroupRows
from pipeline.errors import UserError
from tests.each import each
from trainer.served_model import KeywordSignature

HASHES = np.array([b"%04x" % number for number in range(40)], dtype=object)


def batch(rows: Any, **features: Any) -> Any:
    hashes = HASHES[rows]
    count = len(hashes)
    return {
        constants.FEATURES_KEY: {"subject_hash": hashes.reshape(-1, 1), **features},
        constants.LABELS_KEY: {"response": np.arange(count, dtype=np.float32).reshape(-1, 1)},
        constants.EXAMPLE_WEIGHTS_KEY: {"response": np.ones((count, 1), np.float32)},
        constants.PREDICTIONS_KEY: np.full((count, 1), 0.5, np.float32),
    }


def grouped(slicings: Any, *batches: Any) -> Any:
    function = _GroupRows(slicings, ["response"])
    function.start_bundle()
    for extracts in batches:
        assert list(function.process(extracts)) == []
    return [windowed.value for windowed in function.finish_bundle()]


def hashes_by_slice(elements: Any) -> Any:
    found = {}  # type: ignore[var-annotated]
    for element in elements:
        (key,) = element[constants.SLICE_KEY_TYPES_KEY]
        found.setdefault(key, []).extend(element[constants.FEATURES_KEY]["subject_hash"])
    return {key: sorted(value) for key, value in found.items()}


def column(*values: Any) -> Any:
    return np.array(values, dtype=object).reshape(-1, 1)


def test_every_row_is_in_each_of_its_slices_once() -> None:
    sex = column(*[b"F", b"M"] * 20)

    elements = grouped([(), ("slice_sex",)], batch(slice(None), slice_sex=sex))

    assert hashes_by_slice(elements) == {
        (): sorted(HASHES),
        (("slice_sex", "F"),): sorted(HASHES[0::2]),
        (("slice_sex", "M"),): sorted(HASHES[1::2]),
    }


def test_an_element_has_rows_of_one_jackknife_group_only() -> None:
    for element in each(grouped([()], batch(slice(None)))):
        hashes = element[constants.FEATURES_KEY]["subject_hash"]
        assert len({jackknife.group_of(value) for value in hashes}) == 1


def test_a_pair_of_slicings_makes_their_combinations() -> None:
    elements = grouped(
        [("slice_sex", "slice_arm")],
        batch(
            slice(3),
            slice_sex=column(b"F", b"M", b"F"),
            slice_arm=column(b"Active", b"Active", b"Placebo"),
        ),
    )

    assert hashes_by_slice(elements) == {
        (("slice_sex", "F"), ("slice_arm", "Active")): [HASHES[0]],
        (("slice_sex", "M"), ("slice_arm", "Active")): [HASHES[1]],
        (("slice_sex", "F"), ("slice_arm", "Placebo")): [HASHES[2]],
    }


@pytest.mark.parametrize(
    "missing",
    [{}, {"slice_sex": column(b"", b"")}, {"slice_sex": column(None, None)}],
    ids=["no column", "empty text", "null"],
)
def test_a_row_without_a_value_belongs_to_no_group(missing: Any) -> None:
    assert grouped([("slice_sex",)], batch(slice(2), **missing)) == []


def test_batches_are_joined_before_they_are_divided() -> None:
    elements = grouped([()], batch(slice(0, 20)), batch(slice(20, 40)))

    assert hashes_by_slice(elements) == {(): sorted(HASHES)}
    assert len(elements) == len({jackknife.group_of(value) for value in HASHES})


def test_rows_keep_their_label_and_prediction_together() -> None:
    rows = batch(slice(None))
    rows[constants.PREDICTIONS_KEY] = rows[constants.LABELS_KEY]["response"] / 100

    for element in grouped([()], rows):
        labels = element[constants.LABELS_KEY]["response"]
        predictions = element[constants.PREDICTIONS_KEY]["response"]
        np.testing.assert_array_equal(predictions, labels / 100)


def test_features_go_no_further() -> None:
    (element, *_) = grouped([()], batch(slice(None), AGE=column(*range(40))))

    assert list(element[constants.FEATURES_KEY]) == ["subject_hash"]


def test_a_model_without_an_output_for_the_task_is_an_error_that_says_so() -> None:
    rows = batch(slice(None))
    rows[constants.PREDICTIONS_KEY] = {"other": np.zeros((40, 1)), "more": np.zeros((40, 1))}

    with pytest.raises(UserError, match="one value in predictions of task response"):
        grouped([()], rows)


def test_an_example_without_a_label_is_an_error_that_names_the_column() -> None:
    rows = batch(slice(None))
    rows[constants.LABELS_KEY] = {"response": None}

    with pytest.raises(UserError, match="label_response"):
        grouped([()], rows)


def test_examples_without_a_hash_are_an_error() -> None:
    rows = batch(slice(None))
    del rows[constants.FEATURES_KEY]["subject_hash"]

    with pytest.raises(UserError, match="subject_hash"):
        grouped([()], rows)


def test_a_model_that_refuses_the_examples_does_not_quote_them() -> None:
    class Refusing:
        structured_input_signature = ((), {"examples": None})

        def __call__(self, examples: Any) -> None:
            raise TypeError(f"can't parse {examples}")

    with pytest.raises(UserError) as caught:
        KeywordSignature(Refusing())(["AGE: 83"])

    assert "83" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("rows", [1, 255, 256, 257, 700])
def test_the_model_is_called_with_blocks_of_one_size_whatever_the_batch(rows: Any) -> None:
    sizes = []

    class Echo:
        structured_input_signature = ((), {"examples": None})

        def __call__(self, examples: Any) -> Any:
            sizes.append(len(examples))
            return {"response": tf.strings.to_number(examples)[:, tf.newaxis]}

    examples = np.array([b"%d" % number for number in range(rows)], dtype=object)
    predictions = KeywordSignature(Echo())(examples)["response"]

    assert set(sizes) == {256}
    assert predictions.numpy().ravel().tolist() == list(range(rows))
