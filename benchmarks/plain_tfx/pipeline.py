"""Command line of the plain pipeline.

Runs it with the local runner and writes one JSON line to standard output: seconds per
component and the ROC AUC on the test split with its confidence interval.
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UserError

if TYPE_CHECKING:
    from .graph import PlainConfig

logger = logging.getLogger(__name__)
_MILLISECONDS = 1000.0


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the pipeline once.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        Exit status: 0 if the pipeline ran to its end, 2 if an argument does not fit the data.
    """
    arguments = _parser().parse_args(argv)
    try:
        _check_columns(arguments)
        result = _run(arguments)
    except UserError as error:
        logger.error("%s", error)
        return 2
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plain_tfx.pipeline")
    parser.add_argument("--csv-dir", type=Path, required=True, help="folder with the CSV file")
    parser.add_argument("--root", type=Path, required=True, help="folder for everything written")
    parser.add_argument("--label", required=True, help="column with 0 or 1 in every row")
    parser.add_argument("--features", type=_names, default=(), help="columns with numbers")
    parser.add_argument("--categorical", type=_names, default=(), help="columns with categories")
    parser.add_argument("--slices", type=_names, default=(), help="columns to slice metrics by")
    parser.add_argument("--steps", type=int, default=500, help="training steps")
    parser.add_argument("--units", type=_numbers, default=(64, 32), help="hidden layers' widths")
    parser.add_argument("--batch-size", type=int, default=128, help="examples in a step")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--min-auc", type=float, default=0.5, help="lowest AUC that is pushed")
    return parser


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in _names(text))


def _check_columns(arguments: argparse.Namespace) -> None:
    if not (arguments.features or arguments.categorical):
        raise UserError("No feature: name at least one column in --features or --categorical.")
    files = sorted(arguments.csv_dir.glob("*.csv"))
    if not files:
        raise UserError(f"{arguments.csv_dir}: no .csv file; expected one with a header row.")
    wanted = {
        arguments.label,
        *arguments.features,
        *arguments.categorical,
        *arguments.slices,
    }
    for file in files:
        with file.open(encoding="utf-8", newline="") as stream:
            missing = wanted.difference(next(csv.reader(stream), []))
        if missing:
            raise UserError(
                f"{file}, row 1 (header): no column {', '.join(sorted(missing))}; "
                "correct the name on the command line or in the file."
            )


def _run(arguments: argparse.Namespace) -> dict[str, Any]:
    started = time.perf_counter()
    # Only here: importing TFX takes longer than everything else that --help needs.
    from tfx import v1 as tfx

    from .graph import PlainConfig, create_pipeline

    imported = time.perf_counter()
    config = PlainConfig(
        csv_dir=arguments.csv_dir.resolve(),
        root=arguments.root.resolve(),
        label=arguments.label,
        numeric=tuple(n for n in arguments.features if n not in arguments.categorical),
        categorical=arguments.categorical,
        slices=arguments.slices,
        steps=arguments.steps,
        units=arguments.units,
        batch_size=arguments.batch_size,
        seed=arguments.seed,
        min_auc=arguments.min_auc,
    )
    tfx.orchestration.LocalDagRunner().run(create_pipeline(config))
    finished = time.perf_counter()
    return {
        "import_seconds": round(imported - started, 3),
        "run_seconds": round(finished - imported, 3),
        **_summary(config),
    }


def _summary(config: PlainConfig) -> dict[str, Any]:
    from ml_metadata import MetadataStore
    from tfx import v1 as tfx

    store = MetadataStore(
        tfx.orchestration.metadata.sqlite_metadata_connection_config(str(config.metadata_path))
    )
    last_run = max(store.get_contexts_by_type("pipeline_run"), key=lambda context: context.id)
    executions = sorted(
        store.get_executions_by_context(last_run.id), key=lambda execution: execution.id
    )
    component_of_type = {kind.id: kind.name.rsplit(".")[-1] for kind in store.get_execution_types()}
    outputs = store.get_artifacts_by_context(last_run.id)
    kinds = {kind.id: kind.name for kind in store.get_artifact_types()}
    by_kind = {kinds[artifact.type_id]: artifact for artifact in outputs}
    return {
        "component_seconds": {
            component_of_type[execution.type_id]: round(
                (execution.last_update_time_since_epoch - execution.create_time_since_epoch)
                / _MILLISECONDS,
                3,
            )
            for execution in executions
        },
        "auc": _overall_auc(by_kind["ModelEvaluation"].uri),
        "blessed": by_kind["ModelBlessing"].custom_properties["blessed"].int_value == 1,
        "pushed": by_kind["PushedModel"].custom_properties["pushed"].int_value == 1,
    }


def _overall_auc(evaluation: str) -> dict[str, float]:
    import tensorflow_model_analysis as tfma

    metrics = tfma.load_eval_result(evaluation).get_metrics_for_slice()
    bounded = metrics["auc"]["boundedValue"]
    return {
        "value": bounded["value"],
        "lower": bounded["lowerBound"],
        "upper": bounded["upperBound"],
    }


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    sys.exit(main())
