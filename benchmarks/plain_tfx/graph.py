"""The graph of the plain pipeline: the eight standard components, wired as TFX documents it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tensorflow_model_analysis as tfma
from google.protobuf import wrappers_pb2
from tensorflow_model_analysis.proto import config_pb2
from tfx import v1 as tfx

_USER_MODULE = Path(__file__).parent / "model" / "user_module.py"
_SPLITS = (("train", 3), ("eval", 1), ("test", 1))
# The default runner of Beam would download a binary; this one runs in memory.
_BEAM_ARGS = ("--runner=FnApiRunner",)
# TFMA 0.47 merges the accumulators of BinaryCrossEntropy and MeanSquaredError with the first one
# counted twice, so their values are off whenever there are several, as with the jackknife. They
# stay, since a plain pipeline has them; a comparison must score the pushed model itself.
_METRICS = (
    "ExampleCount",
    "AUCPrecisionRecall",
    "BinaryCrossEntropy",
    "MeanSquaredError",
    "Calibration",
    "BinaryAccuracy",
    "Precision",
    "Recall",
)


@dataclass(frozen=True)
class PlainConfig:
    """Settings of one run.

    Attributes:
        csv_dir: Folder with CSV files of equal header.
        root: Folder for artifacts, metadata and pushed models.
        label: Column with 0 or 1 in every row.
        numeric: Columns with numbers; empty cells allowed.
        categorical: Columns with categories; empty cells allowed.
        slices: Columns to slice the evaluation by, one at a time.
        steps: Number of training steps.
        units: Width of each hidden layer.
        batch_size: Examples in a training step.
        seed: Seed of the weights and of the shuffling.
        min_auc: Lowest ROC AUC on the test split at which the model is pushed.
    """

    csv_dir: Path
    root: Path
    label: str
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    slices: tuple[str, ...]
    steps: int
    units: tuple[int, ...]
    batch_size: int
    seed: int
    min_auc: float

    @property
    def metadata_path(self) -> Path:
        """SQLite file of ML Metadata."""
        return self.root / "metadata" / "metadata.db"


def create_pipeline(config: PlainConfig) -> tfx.dsl.Pipeline:
    """Builds the pipeline.

    Args:
        config: Settings of the run.

    Returns:
        A pipeline for `tfx.orchestration.LocalDagRunner`.
    """
    example_gen = tfx.components.CsvExampleGen(
        input_base=str(config.csv_dir), output_config=_output_config()
    )
    statistics_gen = tfx.components.StatisticsGen(examples=example_gen.outputs["examples"])
    schema_gen = tfx.components.SchemaGen(statistics=statistics_gen.outputs["statistics"])
    example_validator = tfx.components.ExampleValidator(
        statistics=statistics_gen.outputs["statistics"], schema=schema_gen.outputs["schema"]
    )
    columns = {
        "numeric": list(config.numeric),
        "categorical": list(config.categorical),
        "label": config.label,
    }
    transform = tfx.components.Transform(
        examples=example_gen.outputs["examples"],
        schema=schema_gen.outputs["schema"],
        module_file=str(_USER_MODULE),
        custom_config=columns,
    )
    trainer = tfx.components.Trainer(
        module_file=str(_USER_MODULE),
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema_gen.outputs["schema"],
        train_args=tfx.proto.TrainArgs(splits=["train"], num_steps=config.steps),
        eval_args=tfx.proto.EvalArgs(splits=["eval"]),
        custom_config={
            **columns,
            "units": list(config.units),
            "batch_size": config.batch_size,
            "seed": config.seed,
        },
    )
    evaluator = tfx.components.Evaluator(
        examples=example_gen.outputs["examples"],
        example_splits=["test"],
        model=trainer.outputs["model"],
        eval_config=_eval_config(config.label, config.slices, config.min_auc),
    )
    pusher = tfx.components.Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=tfx.proto.PushDestination(
            filesystem=tfx.proto.PushDestination.Filesystem(
                base_directory=str(config.root / "serving")
            )
        ),
    )
    return tfx.dsl.Pipeline(
        pipeline_name="plain_tfx",
        pipeline_root=str(config.root / "artifacts"),
        components=[
            example_gen,
            statistics_gen,
            schema_gen,
            example_validator,
            transform,
            trainer,
            evaluator,
            pusher,
        ],
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            str(config.metadata_path)
        ),
        beam_pipeline_args=list(_BEAM_ARGS),
    )


def _output_config() -> tfx.proto.Output:
    splits = [
        tfx.proto.SplitConfig.Split(name=name, hash_buckets=buckets) for name, buckets in _SPLITS
    ]
    return tfx.proto.Output(split_config=tfx.proto.SplitConfig(splits=splits))


def _eval_config(label: str, slices: Sequence[str], min_auc: float) -> config_pb2.EvalConfig:
    threshold = tfma.MetricThreshold(
        value_threshold=tfma.GenericValueThreshold(lower_bound={"value": min_auc})
    )
    return tfma.EvalConfig(
        model_specs=[tfma.ModelSpec(signature_name="serving_default", label_key=label)],
        slicing_specs=[
            tfma.SlicingSpec(),
            *(tfma.SlicingSpec(feature_keys=[name]) for name in slices),
        ],
        metrics_specs=[
            tfma.MetricsSpec(
                metrics=[
                    tfma.MetricConfig(class_name="AUC", threshold=threshold),
                    *(tfma.MetricConfig(class_name=name) for name in _METRICS),
                ]
            )
        ],
        options=config_pb2.Options(
            compute_confidence_intervals=wrappers_pb2.BoolValue(value=True),
            confidence_intervals=config_pb2.ConfidenceIntervalOptions(
                method=config_pb2.ConfidenceIntervalOptions.JACKKNIFE
            ),
        ),
    )
