"""Numbers of subjects in TFX's own stages, read from their outputs.

TrialExampleGen, DataGate, Trainer and TrialEvaluator log them. CuratedSchema, Pusher,
ModelRegistrar and similar stages read no subjects; those of ChampionModel are of another run, whose
numbers may be held back.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal

logger = logging.getLogger(__name__)

_TOLD_BY: Mapping[str, tuple[Literal["input", "output"], str]] = {
    "StatisticsGen": ("output", "statistics"),
    "ExampleValidator": ("input", "statistics"),
    "Transform": ("input", "examples"),
    "Tuner": ("input", "examples"),
}
_READ: Mapping[str, tuple[str, ...]] = {"Transform": ("train",), "Tuner": ("train", "eval")}
"""Splits that a stage reads, where these are not all."""

_SPLIT = "Split-"
_COUNTED_AT_ONCE = 4096


def log_rows(
    stage: str, inputs: Mapping[str, Sequence[Any]], outputs: Mapping[str, Sequence[Any]]
) -> None:
    """Logs the subjects of each split for the stage's run record.

    Args:
        stage: The stage's node in the graph.
        inputs: TFX's artifacts by input.
        outputs: TFX's artifacts by output, after the stage has finished.
    """
    if stage not in _TOLD_BY:
        return
    side, key = _TOLD_BY[stage]
    count = _in_statistics if key == "statistics" else _in_examples
    for artifact in (inputs if side == "input" else outputs).get(key, ()):
        for split, folder in _split_folders(artifact.uri):
            if split not in _READ.get(stage, (split,)):
                continue
            rows = {"split": split, "subjects": count(folder)}
            logger.info("rows", extra={"rows": rows})


def _split_folders(uri: str) -> list[tuple[str, str]]:
    """Folders of the existing splits: without a champion its statistics are missing."""
    from tfx.dsl.io import fileio

    names = sorted(name.rstrip("/") for name in fileio.listdir(uri))
    return [
        (name.removeprefix(_SPLIT), f"{uri}/{name}") for name in names if name.startswith(_SPLIT)
    ]


def _in_statistics(folder: str) -> int:
    from tensorflow_metadata.proto.v0 import statistics_pb2
    from tfx.components.statistics_gen import stats_artifact_utils
    from tfx.dsl.io import fileio

    with fileio.open(f"{folder}/{stats_artifact_utils.BINARY_PB_BASENAME}", "rb") as file:
        statistics = statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read())
    return sum(int(dataset.num_examples) for dataset in statistics.datasets)


def _in_examples(folder: str) -> int:
    import tensorflow as tf
    from tfx.dsl.io import fileio

    files = sorted(fileio.glob(f"{folder}/*"))
    records = tf.data.TFRecordDataset(files, compression_type="GZIP").batch(_COUNTED_AT_ONCE)
    return int(records.reduce(0, lambda total, batch: total + tf.size(batch)))
