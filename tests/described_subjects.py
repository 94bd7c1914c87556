"""Subjects of a data frame as the examples and as TFDV's statistics have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import statistics_pb2

from pipeline.reading.examples import Categories, ExampleColumns


def described(frame: pd.DataFrame) -> statistics_pb2.DatasetFeatureStatistics:
    """TFDV's statistics of a frame."""
    (dataset,) = tfdv.generate_statistics_from_dataframe(frame, n_jobs=1).datasets
    return dataset


def columns_of(frame: pd.DataFrame) -> ExampleColumns:
    """Columns of a frame: its numbers are single-precision, texts are categories."""
    numbers, categories = {}, {}
    for name in frame:
        column = frame[name]
        if column.dtype == object:
            codes, values = pd.factorize(column, sort=True)
            categories[str(name)] = Categories(codes.astype(np.int32), tuple(values))
        else:
            numbers[str(name)] = column.to_numpy(np.float32)
    return ExampleColumns(len(frame), numbers, categories)


def write_examples(frame: pd.DataFrame, split: Path) -> None:
    """Writes the subjects of a frame as a split of examples.

    Args:
        frame: Numbers, texts and lists of whole numbers; what is missing is left out.
        split: The split's folder, which is made.
    """
    split.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(split / "data_tfrecord-00000-of-00001.gz"), "GZIP") as writer:
        for row in frame.to_dict("records"):
            example = tf.train.Example()
            for name, value in row.items():
                feature = example.features.feature[str(name)]
                if isinstance(value, list):
                    feature.int64_list.value.extend(value)
                elif isinstance(value, str):
                    feature.bytes_list.value.append(value.encode())
                elif value is not None and not np.isnan(value):
                    feature.float_list.value.append(value)
            writer.write(example.SerializeToString())
