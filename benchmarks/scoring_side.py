"""One side of the benchmark of scoring: predicts examples once and says how long it took.

    python -m benchmarks.scoring_side SIDE EXAMPLES MODEL OUTPUTS STUDY STATISTICS [BEAM OPTIONS]

SIDE is `ours` (BatchScoring's Beam graph, which also flags the subjects by the STATISTICS of the
training), `flink` (the same graph on the Flink of the BEAM OPTIONS) or `bulk` (TFX's BulkInferrer);
all write their predictions below OUTPUTS, from the same files and with the same SavedModel. Imports
do not count, nor does a Flink's start; a job's start on it does.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tensorflow_metadata.proto.v0 import statistics_pb2

SIDES = ("ours", "bulk", "flink")


def main(arguments: Sequence[str]) -> int:
    """Predicts, and writes seconds and rows as JSON to standard output."""
    side, examples, model, outputs, study, statistics, *options = arguments
    if side == "bulk":
        predict = _prepare_bulk(examples, model, outputs)
    else:
        predict = _prepare_ours(examples, model, outputs, study, statistics, options)
    started = time.perf_counter()
    predict()
    seconds = time.perf_counter() - started
    sys.stdout.write(json.dumps({"side": side, "seconds": seconds}) + "\n")
    return 0


def _pipeline() -> Any:
    import apache_beam as beam
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner

    return beam.Pipeline(runner=FnApiRunner())


def _pipeline_on_flink(options: Sequence[str]) -> Any:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    from pipeline.beam.options import beam_options, parse_beam_options

    return beam.Pipeline(options=PipelineOptions([*beam_options(parse_beam_options(options))]))


def _prepare_ours(
    examples: str, model: str, outputs: str, study: str, statistics: str, options: Sequence[str]
) -> Callable[[], None]:
    from components.batch_scoring.graph import ScoringJob, score
    from pipeline.skew.flags import reactions
    from pipeline.skew.training_values import seen_values
    from pipeline.storage import make_folder
    from pipeline.study.features import feature_columns
    from pipeline.study.load import load_study

    loaded = load_study(Path(study))
    numbers, categories = feature_columns(loaded)
    found = statistics_pb2.DatasetFeatureStatisticsList()
    found.ParseFromString(Path(statistics).read_bytes())
    make_folder(outputs)
    job = ScoringJob(
        model=model,
        version="benchmark",
        numbers=tuple(numbers),
        categories=tuple(categories),
        seen=seen_values(found.datasets[0], numbers, categories),
        reactions=reactions(loaded.scoring),
        folder=outputs,
    )
    files = [str(path) for path in sorted(Path(examples).iterdir())]

    def predict() -> None:
        with _pipeline_on_flink(options) if options else _pipeline() as root:
            score(root, job, files)

    return predict


def _prepare_bulk(examples: str, model: str, outputs: str) -> Callable[[], None]:
    from tfx.components.bulk_inferrer.executor import Executor
    from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
    from tfx.types import artifact_utils, standard_artifacts

    split = Path(examples)
    read, result = standard_artifacts.Examples(), standard_artifacts.InferenceResult()
    read.uri, result.uri = str(split.parent), outputs
    read.split_names = artifact_utils.encode_split_names([split.name.removeprefix("Split-")])
    read.set_string_custom_property("payload_format", "FORMAT_TF_EXAMPLE")
    read.set_string_custom_property("file_format", "tfrecords_gzip")
    saved = standard_artifacts.Model()
    saved.uri = str(Path(model).parent)
    context = BaseBeamExecutor.Context(
        make_beam_pipeline_fn=_pipeline, tmp_dir=outputs, unique_id="1"
    )
    properties = {
        "model_spec": json.dumps({"model_signature_name": ["serving_default"]}),
        "data_spec": json.dumps({"example_splits": [split.name.removeprefix("Split-")]}),
    }

    def predict() -> None:
        Executor(context).Do(
            {"examples": [read], "model": [saved]}, {"inference_result": [result]}, properties
        )

    return predict


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
