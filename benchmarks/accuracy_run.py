"""One division of a trial: this project's model, and scikit-learn's models."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apache_beam as beam
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from apache_beam.options.pipeline_options import PipelineOptions
from google.protobuf import text_format
from numpy.typing import NDArray
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx_bsl.public import tfxio

from benchmarks.accuracy_baselines import fit_predict
from benchmarks.accuracy_division import OURS, Division, Scores
from components.trial_example_gen.graph import ExampleJob, write_examples
from pipeline.beam.options import IN_MEMORY, beam_options
from pipeline.names import EXAMPLES_SIGNATURE, SPLITS, SUBJECT_HASH
from pipeline.reading.plan import plan_examples
from pipeline.study.features import feature_columns
from pipeline.study.load import load_study
from pipeline.study.sections.scheme import Evaluation
from pipeline.study.shipped import find_study_file
from pipeline.study.study import Study
from pipeline.subject_key import ensure_local_key, load_key
from trainer.arrays import Arrays
from trainer.examples import TransformedExamples, read_encoding
from trainer.features import INPUTS_KEY, ModelInputs
from trainer.fit import Fitted, fit
from trainer.model import resolve
from trainer.preprocessing import preprocessing_fn
from trainer.serving import save
from trainer.transformation import Transformation

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RawExamples:
    """Examples of one split as TrialExampleGen wrote them.

    Attributes:
        serialized: tf.Examples, bytes `[subjects]`.
        subjects: Pseudonyms, bytes `[subjects]`.
        features: Numbers with NaN, texts with "" where missing.
        labels: 0 or 1, float32 `[subjects, tasks]`.
        weights: Weights, 0 where the label is unknown, float32 `[subjects, tasks]`.
    """

    serialized: NDArray[Any]
    subjects: NDArray[Any]
    features: pd.DataFrame
    labels: NDArray[Any]
    weights: NDArray[Any]

    def __len__(self) -> int:
        return len(self.subjects)


@dataclass
class _Clock:
    """Wall seconds of parts that follow each other."""

    seconds: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.perf_counter)

    def lap(self, part: str) -> None:
        now = time.perf_counter()
        self.seconds[part] = round(now - self._last, 2)
        self._last = now


def run_division(division: Division) -> Scores:
    """Divides, transforms, trains and scores.

    Only train fits a model; eval stops our training and calibrates; test is predicted.

    Args:
        division: What to divide and which models to fit.

    Returns:
        Predictions on the test split.

    Raises:
        UserError: The data can't be used.
    """
    study_file = find_study_file(division.study)
    study = _divided(load_study(study_file), division)
    numeric, categorical = feature_columns(study)
    inputs = ModelInputs(tuple(numeric), tuple(categorical), tuple(study.tasks))
    clock = _Clock()
    keras.backend.clear_session()
    with tempfile.TemporaryDirectory(prefix="accuracy-") as scratch:
        root = Path(scratch)
        key = ensure_local_key(root / "subject_key")
        make_examples(study, division.data, key, root)
        raw = {split: read_raw(_split_folder(root, split), inputs) for split in ("train", "test")}
        clock.lap("examples")
        transformation = analyse_examples(study_file.parent / "schema.pbtxt", inputs, root)
        clock.lap("transform")
        transformed = {split: read_transformed(root, split, transformation) for split in SPLITS}
        fitted = _fit(study, division, transform_output_of(root), inputs, transformed)
        predicted = fitted.predict(transformed["test"])
        clock.lap("fit")
        served = None
        if division.check_served:
            served = _served_difference(
                fitted, transformation, root / "model", raw["test"], predicted
            )
            clock.lap("served model")
        probabilities = {OURS: predicted}
        for name in division.baselines:
            probabilities[name] = fit_predict(
                name,
                raw["train"].features,
                raw["train"].labels,
                raw["train"].weights,
                raw["test"].features,
                division.training_seed,
            )
            clock.lap(name)
        return Scores(
            division=division,
            tasks=inputs.tasks,
            subjects=raw["test"].subjects,
            labels=raw["test"].labels,
            weights=raw["test"].weights,
            probabilities=probabilities,
            split_sizes={split: len(arrays) for split, arrays in transformed.items()},
            subject_key=load_key(key),
            served_difference=served,
            best_epoch=fitted.history.best_epoch,
            seconds=clock.seconds,
        )


def make_examples(study: Study, data: Path, key: str, root: Path) -> None:
    """Runs TrialExampleGen's graph; it writes the splits' folders below `root`.

    Args:
        study: The study.
        data: Folder of its data.
        key: Reference to the subject key.
        root: Folder to write below.

    Raises:
        UserError: The data can't be used.
    """
    job = ExampleJob(plan_examples(study, str(data)), key)
    folders = {split: _split_folder(root, split) for split in SPLITS}
    unfinished, rejects = root / "unfinished", root / "rejects"
    for folder in (*folders.values(), unfinished, rejects):
        folder.mkdir(parents=True)
    with _beam_pipeline() as pipeline:
        write_examples(
            pipeline,
            job,
            {split: str(folder) for split, folder in folders.items()},
            str(unfinished),
            str(rejects),
        )


def read_raw(folder: Path, inputs: ModelInputs) -> RawExamples:
    """Reads the examples of a split, in the order of the files."""
    records = tf.data.TFRecordDataset(_files(folder), compression_type="GZIP")
    serialized = np.array(list(records.as_numpy_iterator()), object)
    numbers = (*inputs.numeric, *inputs.label_columns, *inputs.weight_columns)
    spec = {name: tf.io.FixedLenFeature([], tf.float32, np.nan) for name in numbers}
    spec |= {name: tf.io.FixedLenFeature([], tf.string, "") for name in inputs.categorical}
    spec[SUBJECT_HASH] = tf.io.FixedLenFeature([], tf.string)
    parsed = {name: found.numpy() for name, found in tf.io.parse_example(serialized, spec).items()}
    return RawExamples(
        serialized=serialized,
        subjects=parsed[SUBJECT_HASH].astype(bytes),
        features=pd.DataFrame(
            {name: parsed[name] for name in inputs.numeric}
            | {name: parsed[name].astype(bytes).astype(str) for name in inputs.categorical}
        ),
        labels=np.stack([parsed[name] for name in inputs.label_columns], axis=1),
        weights=np.nan_to_num(np.stack([parsed[name] for name in inputs.weight_columns], axis=1)),
    )


def analyse_examples(schema_file: Path, inputs: ModelInputs, root: Path) -> Transformation:
    """Analyses train, as TFX's Transform does.

    Args:
        schema_file: Curated schema of the study.
        inputs: Columns that the model reads.
        root: Folder with the splits of the examples; `transform_graph` is written below it.

    Returns:
        Transform's graph.
    """
    schema = text_format.Parse(schema_file.read_text(encoding="utf-8"), schema_pb2.Schema())

    def preprocess(columns: Mapping[str, object]) -> dict[str, object]:
        return preprocessing_fn(columns, {INPUTS_KEY: inputs.to_config()})

    with (
        _beam_pipeline() as pipeline,
        tft_beam.Context(
            temp_dir=str(root / "transform_temp"),
            force_tf_compat_v1=False,
            use_deep_copy_optimization=True,
        ),
    ):
        source = tfxio.TFExampleRecord(
            str(_split_folder(root, "train") / "*.gz"), schema=schema, telemetry_descriptors=[]
        ).Project(list(inputs.features))
        rows = pipeline | source.BeamSource(), source.TensorAdapterConfig()
        graph = rows | tft_beam.AnalyzeDataset(preprocess)
        _ = graph | tft_beam.WriteTransformFn(str(root / "transform_graph"))
    return Transformation(transform_output_of(root), inputs)


def transform_output_of(root: Path) -> tft.TFTransformOutput:
    """Transform's output below `root`; see `analyse_examples`."""
    return tft.TFTransformOutput(str(root / "transform_graph"))


def _divided(study: Study, division: Division) -> Study:
    """The study with a test split, by the seed and the held out sites of the division."""
    change = {"seed": division.seed, "holdout_sites": division.holdout_sites}
    split = study.split.model_copy(update=change)
    return study.model_copy(update={"split": split, "evaluation": Evaluation(scheme="split")})


def _beam_pipeline() -> beam.Pipeline:
    return beam.Pipeline(options=PipelineOptions(list(beam_options(IN_MEMORY))))


def _split_folder(root: Path, split: str) -> Path:
    return root / "examples" / f"Split-{split}"


def _files(folder: Path) -> list[str]:
    return [str(path) for path in sorted(folder.glob("*.gz"))]


def read_transformed(root: Path, split: str, transformation: Transformation) -> Arrays:
    """Reads the examples of a split as the Trainer does, in the order of the files."""
    encoding = read_encoding(transform_output_of(root), transformation.inputs)
    pattern = str(_split_folder(root, split) / "*.gz")
    return TransformedExamples((pattern,), transformation, encoding).whole()


def _fit(
    study: Study,
    division: Division,
    transform_output: tft.TFTransformOutput,
    inputs: ModelInputs,
    transformed: Mapping[str, Arrays],
) -> Fitted:
    """Trains as `trainer.run.run_fn` does, with the study's own settings."""
    train = transformed["train"]
    return fit(
        train,
        transformed["eval"],
        read_encoding(transform_output, inputs),
        resolve(len(train), chosen=study.training.hyperparameters.given),
        division.training_seed,
        steps=study.training.steps or None,
    )


def _served_difference(
    fitted: Fitted,
    transformation: Transformation,
    folder: Path,
    raw: RawExamples,
    predicted: NDArray[Any],
) -> float:
    """Largest difference of the saved model's probabilities on raw examples from `predicted`."""
    save(fitted, transformation, folder)
    signature = tf.saved_model.load(str(folder)).signatures[EXAMPLES_SIGNATURE]
    found = signature(examples=tf.constant(raw.serialized.tolist()))
    served = np.concatenate([found[task].numpy() for task in transformation.inputs.tasks], axis=1)
    return float(np.abs(served - predicted).max())
