"""One ExampleGen as a TFX executor in this process: TrialExampleGen, or TFX's CsvExampleGen.

Writes one JSON line to standard output: seconds of imports and of the executor, and how many
examples it wrote.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_BEAM_ARGS = ("--runner=FnApiRunner",)
_SPLITS = (("train", 3), ("eval", 1), ("test", 1))


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one executor once.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.example_gen_side")
    parser.add_argument("side", choices=("trial", "csv"), help="whose executor")
    parser.add_argument("--data", type=Path, required=True, help="folder with one CSV file")
    parser.add_argument("--study", type=Path, help="study file (side trial)")
    parser.add_argument("--out", type=Path, required=True, help="folder for the examples")
    arguments = parser.parse_args(argv)
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.side == "trial":
        times = _run_trial(arguments.data, arguments.study, arguments.out)
    else:
        times = _run_csv(arguments.data, arguments.out)
    result = {**times, "examples": _count(arguments.out / "examples")}
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


def _run_trial(data: Path, study_file: Path, out: Path) -> dict[str, float]:
    started = time.perf_counter()
    from tfx.types import standard_artifacts

    from components.artifact_types import TrialRejects
    from components.trial_example_gen.executor import TrialExampleGenExecutor
    from components.trial_example_gen.settings import TrialExampleGenSettings
    from pipeline.study.load import load_study
    from pipeline.subject_key import ensure_local_key, key_id, load_key

    imported = time.perf_counter()
    key = ensure_local_key(out / "subject_key")
    study = load_study(study_file)
    executor = TrialExampleGenExecutor(_context(TrialExampleGenExecutor, out))
    properties = {
        "settings": TrialExampleGenSettings.of(study).to_json(),
        "data_root": str(data),
        # In a pipeline the fingerprint is computed when the run is created.
        "fingerprint": "",
        "subject_key": key,
        "subject_key_id": key_id(load_key(key)),
    }
    outputs = {
        "examples": [_artifact(standard_artifacts.Examples(), out / "examples")],
        "rejects": [_artifact(TrialRejects(), out / "rejects")],
    }
    return _timed(executor, outputs, properties, started, imported)


def _run_csv(data: Path, out: Path) -> dict[str, float]:
    started = time.perf_counter()
    from tfx.components.example_gen.csv_example_gen.executor import Executor
    from tfx.proto import example_gen_pb2
    from tfx.types import standard_artifacts
    from tfx.utils import proto_utils

    imported = time.perf_counter()
    inputs = example_gen_pb2.Input(
        splits=[example_gen_pb2.Input.Split(name="all", pattern="*.csv")]
    )
    splits = [
        example_gen_pb2.SplitConfig.Split(name=name, hash_buckets=buckets)
        for name, buckets in _SPLITS
    ]
    output = example_gen_pb2.Output(split_config=example_gen_pb2.SplitConfig(splits=splits))
    properties = {
        "input_base": str(data),
        "input_config": proto_utils.proto_to_json(inputs),
        "output_config": proto_utils.proto_to_json(output),
        "output_data_format": example_gen_pb2.FORMAT_TF_EXAMPLE,
        "output_file_format": example_gen_pb2.FORMAT_TFRECORDS_GZIP,
    }
    outputs = {"examples": [_artifact(standard_artifacts.Examples(), out / "examples")]}
    return _timed(Executor(_context(Executor, out)), outputs, properties, started, imported)


def _context(executor: Any, out: Path) -> Any:
    return executor.Context(
        beam_pipeline_args=list(_BEAM_ARGS), tmp_dir=str(out / "tmp"), unique_id="1"
    )


def _artifact(artifact: Any, folder: Path) -> Any:
    artifact.uri = str(folder)
    return artifact


def _timed(
    executor: Any,
    outputs: dict[str, list[Any]],
    properties: dict[str, Any],
    started: float,
    imported: float,
) -> dict[str, float]:
    begun = time.perf_counter()
    executor.Do({}, outputs, properties)
    ended = time.perf_counter()
    return {"import_seconds": imported - started, "executor_seconds": ended - begun}


def _count(folder: Path) -> int:
    import tensorflow as tf

    files = [str(path) for path in sorted(folder.glob("Split-*/*.gz"))]
    records = tf.data.TFRecordDataset(files, compression_type="GZIP")
    return int(records.reduce(0, lambda total, _: total + 1))


if __name__ == "__main__":
    sys.exit(main())
