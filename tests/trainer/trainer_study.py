"""Hand-made subjects of a small study, and Transform run on them in memory."""

import tempfile
from typing import Any

import numpy as np

from trainer.features import ModelInputs

INPUTS = ModelInputs(numeric=("age", "sbp"), categorical=("sex", "country"), tasks=("death", "ae"))

QUICK = {"members": 2, "width": 8, "depth": 1, "max_epochs": 3, "batch_size": 64}
"""Hyperparameters of a training that takes a second."""


def transform(rows: Any, inputs: Any, graph: Any) -> Any:
    """Analyses and transforms hand-made rows in memory; keeps the transform graph in `graph`."""
    import apache_beam as beam
    import tensorflow as tf
    import tensorflow_transform.beam as tft_beam
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner
    from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

    from trainer.preprocessing import preprocessing_fn

    spec = {name: tf.io.VarLenFeature(tf.float32) for name in inputs.numeric}
    spec |= {name: tf.io.VarLenFeature(tf.string) for name in inputs.categorical}
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))
    collected = f"{graph}-rows.npy"

    def preprocess(columns: Any) -> Any:
        return preprocessing_fn(columns, {"inputs": inputs.to_config()})

    with (
        tft_beam.Context(temp_dir=tempfile.mkdtemp()),
        beam.Pipeline(runner=FnApiRunner()) as pipeline,
    ):
        features = [{name: row[name] for name in inputs.features} for row in rows]
        raw = pipeline | beam.Create(features, reshuffle=False)
        (data, _), graph_fn = (raw, metadata) | tft_beam.AnalyzeAndTransformDataset(preprocess)
        _ = graph_fn | tft_beam.WriteTransformFn(str(graph))
        _ = (
            data
            | beam.combiners.ToList()
            | beam.Map(lambda found: np.save(collected, np.array(found, dtype=object)))
        )
    return list(np.load(collected, allow_pickle=True))


def example(row: Any) -> Any:
    """The serialised tf.Example of a row; an empty list is an absent feature."""
    import tensorflow as tf

    features = {}
    for name, values in row.items():
        if not values:
            continue
        if isinstance(values[0], bytes):
            features[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
        else:
            features[name] = tf.train.Feature(float_list=tf.train.FloatList(value=values))
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def subjects(count: Any, seed: Any = 0) -> Any:
    """Death depends on age and sex, the adverse event on blood pressure; some values missing."""
    generator = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        age, sbp = generator.normal(70, 10), generator.normal(150, 20)
        sex = generator.choice([b"M", b"F"])
        country = generator.choice([b"UK", b"PL", b"IT"])
        logit = (age - 70) / 5 + (1.0 if sex == b"M" else -1.0)
        rows.append(
            {
                "age": [age],
                "sbp": [sbp] if generator.random() > 0.2 else [],
                "sex": [sex] if generator.random() > 0.1 else [],
                "country": [country],
                "label_death": [float(generator.random() < 1 / (1 + np.exp(-logit)))],
                "weight_death": [1.0],
                "label_ae": [float(generator.random() < 1 / (1 + np.exp(-(sbp - 150) / 10)))],
                "weight_ae": [float(generator.random() > 0.1)],
            }
        )
    return rows


def columns(rows: Any) -> Any:
    """Plain columns of the same subjects: NaN and "" where a value is missing."""
    import tensorflow as tf

    found = {
        name: tf.constant([row[name][0] if row[name] else np.nan for row in rows], tf.float32)
        for name in INPUTS.numeric
    }
    found |= {
        name: tf.constant([row[name][0] if row[name] else b"" for row in rows], tf.string)
        for name in INPUTS.categorical
    }
    return found
