"""Columns of the examples as arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tfx.types import standard_artifacts
from tfx.types.artifact import Artifact

from pipeline.reading.examples import read_columns

Row = dict[str, float | str]


def _example(row: Row) -> bytes:
    features = {}
    for name, value in row.items():
        if isinstance(value, str):
            held = tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))
        else:
            held = tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
        features[name] = held
    serialized: bytes = tf.train.Example(
        features=tf.train.Features(feature=features)
    ).SerializeToString()
    return serialized


def _examples(folder: Path, **splits: list[Row]) -> Artifact:
    for split, rows in splits.items():
        path = folder / f"Split-{split}"
        path.mkdir()
        options = tf.io.TFRecordOptions(compression_type="GZIP")
        with tf.io.TFRecordWriter(str(path / "data.gz"), options) as writer:
            for row in rows:
                writer.write(_example(row))
    examples = standard_artifacts.Examples()
    examples.uri = str(folder)
    examples.split_names = str(list(splits)).replace("'", '"')
    return examples


@pytest.fixture
def examples(tmp_path: Path) -> Artifact:
    return _examples(
        tmp_path,
        train=[{"AGE": 61.0, "SEX": "M"}, {"SEX": "F"}],
        test=[{"AGE": 72.5}, {"AGE": 80.0, "SEX": "F"}],
    )


def test_splits_follow_each_other_and_what_is_missing_says_so(examples: Artifact) -> None:
    found = read_columns(examples, ["train", "test"], ["AGE"], ["SEX"])
    assert found.subjects == 4
    np.testing.assert_array_equal(found.numbers["AGE"], np.float32([61, np.nan, 72.5, 80]))  # type: ignore[arg-type]
    assert found.categories["SEX"].values == ("F", "M")
    assert found.categories["SEX"].codes.tolist() == [1, 0, -1, 0]


def test_no_more_subjects_are_read_than_were_asked_for(examples: Artifact) -> None:
    found = read_columns(examples, ["train", "test"], ["AGE"], [], most_subjects=3)
    assert found.numbers["AGE"].shape == (3,)


def test_a_column_that_no_example_has_is_missing_everywhere(examples: Artifact) -> None:
    found = read_columns(examples, ["test"], ["BMI"], ["RACE"])
    assert np.isnan(found.numbers["BMI"]).all()
    assert found.categories["RACE"].codes.tolist() == [-1, -1]


def test_a_split_without_subjects_has_empty_columns(tmp_path: Path) -> None:
    found = read_columns(_examples(tmp_path, train=[]), ["train"], ["AGE"], ["SEX"])
    assert (found.subjects, len(found.numbers["AGE"]), len(found.categories["SEX"].codes)) == (
        0,
        0,
        0,
    )
