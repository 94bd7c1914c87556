"""Runs one task of a compiled package in its container.

The command is `python -m pipeline.runners.kubeflow.entrypoint`. TFX's own entrypoint expects what
Vertex AI passes to a task. Open-source Kubeflow Pipelines passes less, and in other forms. This
entrypoint corrects the input, lets TFX's entrypoint run the executor in a child process, and
corrects the output (`pipeline.runners.kubeflow.handover`). Runtime parameters that belong inside a
parameter of a TFX component (seed, steps) are inserted there.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn

from pipeline.errors import UserError
from pipeline.names import RUN_KINDS, TRAINING
from pipeline.observability.identity import line_fields
from pipeline.observability.lines import JsonLines, is_own
from pipeline.observability.runs import sent_log
from pipeline.runners.kubeflow.handover import HANDED_BESIDE, INSIDE, Handover
from pipeline.runners.kubeflow.record import Task, record_death, recorded_task
from pipeline.runners.supervise import Death, supervise

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Located:
    """An artifact as `pipeline.runs.stage_rows` needs it."""

    uri: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the task, or the check of an image.

    Returns:
        0, or 1 for an error that the user can fix.
    """
    options = task_options(arguments)
    log_to_stderr()
    try:
        if options.check:
            from pipeline.runners.kubeflow.check import check

            check(main)
        else:
            run_supervised(options)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def log_to_stderr() -> None:
    """Sets up the log of a task."""
    # TensorFlow reads this variable when it is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    for handler in logging.getLogger().handlers:
        handler.addFilter(is_of_interest)
        handler.setFormatter(JsonLines({}))


def identify(run: str, stage: str) -> None:
    """Names run, stage, trace and span in every line of this process from now on."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(JsonLines(line_fields(run, stage)))


def run_supervised(options: argparse.Namespace) -> None:
    """Runs one task in a child process.

    Args:
        options: The command line.

    Raises:
        UserError: The executor found an error that the user can fix, or its process died.
    """
    started = datetime.now(UTC)
    supervise(
        lambda _: run_task(options),
        lambda death, _: tell_death(options, death, started),
    )


def is_of_interest(record: logging.LogRecord) -> bool:
    """Whether a line belongs into a task's log: what this project says, and warnings.

    Libraries write hundreds of lines at INFO, among them the content of all artifacts, and the
    reason of a failure would be lost in them. absl sets its logger's own level, hence a filter.

    Args:
        record: The line.
    """
    return is_own(record) or record.levelno >= logging.WARNING


def run_task(options: argparse.Namespace) -> None:
    """Runs one task and records it.

    Args:
        options: The command line.

    Raises:
        UserError: The executor found an error that the user can fix.
    """
    handover = _handover(options)
    identify(handover.run_id, options.stage)
    log = sent_log(handover.run_id, options.stage)
    with log, recorded_task(_task(handover, options)) as folder:
        _execute(handover, options, folder)


def tell_death(options: argparse.Namespace, death: Death, started: datetime) -> NoReturn:
    """Records a task whose process died, and says so.

    Args:
        options: The command line.
        death: How it died (`pipeline.runners.supervise.how_it_died`).
        started: When it started, in UTC.

    Raises:
        UserError: Always: which stage died how, and what to do.
    """
    handover = _handover(options)
    reason = f"Stage {options.stage}: its process {death}."
    record_death(_task(handover, options), reason, death.is_kill, started)
    raise UserError(
        f"{reason} Where memory ran out, raise resources.{options.stage}.memory in the settings "
        "and compile again. Then submit the run again: finished tasks come from the cache."
    )


def _handover(options: argparse.Namespace) -> Handover:
    return Handover(
        executor_input=json.loads(options.json_serialized_invocation_args),
        inputs_spec=json.loads(options.json_serialized_inputs_spec_args),
        outputs_spec=json.loads(options.outputs_spec),
    )


def _task(handover: Handover, options: argparse.Namespace) -> Task:
    store = str(handover.parameters().get("metrics_store", ""))
    return Task(handover.run_id, options.stage, options.study, store, options.kind)


def _execute(handover: Handover, options: argparse.Namespace, folder: Path) -> None:
    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor

    from pipeline.beam.batching import batch_by_bytes
    from pipeline.results.release import read_release
    from pipeline.runs.stage_rows import log_rows

    batch_by_bytes()
    handover.make_output_folders()
    tfx_output_file = folder / "executor" / "output.json"
    given = handover.parameters()
    executor_input = handover.for_tfx(executor_parameters(given), tfx_output_file)
    try:
        kubeflow_v2_run_executor.main(
            (
                argparse.Namespace(
                    executor_class_path=options.executor_class_path,
                    json_serialized_invocation_args=json.dumps(executor_input),
                    json_serialized_inputs_spec_args=options.json_serialized_inputs_spec_args,
                ),
                _beam_arguments(given, handover),
            )
        )
        log_rows(
            options.stage,
            {
                name: [_Located(str(p)) for p in paths]
                for name, paths in handover.input_paths().items()
            },
            {name: [_Located(str(path))] for name, path in handover.output_paths().items()},
        )
    finally:
        # Also where the executor fails: it may have logged rows before.
        places = [*handover.output_paths().values(), *chain(*handover.input_paths().values())]
        if any(read_release(str(place)).is_held_back for place in places):
            logger.info("rows are held back", extra={"held_back": True})
    handover.fill_empty_outputs()
    output = handover.for_launcher(json.loads(tfx_output_file.read_text()))
    handover.output_file.parent.mkdir(parents=True, exist_ok=True)
    handover.output_file.write_text(json.dumps(output), encoding="utf-8")


def _beam_arguments(given: dict[str, Any], handover: Handover) -> list[str]:
    if "beam_options" not in given:
        return []
    return beam_arguments(given["beam_options"], str(next(iter(handover.output_paths().values()))))


def executor_parameters(given: dict[str, Any]) -> dict[str, Any]:
    """Parameters of the executor, with seed and steps where TFX's components look for them.

    Args:
        given: All parameters of the task.
    """
    found = {name: value for name, value in given.items() if name not in HANDED_BESIDE}
    for name, (parameter, key) in INSIDE.items():
        if name in given and parameter in found:
            found[parameter] = json.dumps(json.loads(found[parameter]) | {key: given[name]})
        elif name in given:
            found[name] = given[name]
    return found


def beam_arguments(options: str, folder: str) -> list[str]:
    """Beam's arguments from the field of a run's form.

    Args:
        options: The field.
        folder: Folder of an output, on this container's own path.

    Raises:
        UserError: They can't be parsed, the runner is unknown, or it can't run the task.
    """
    from pipeline.beam.check import Needs, checked_options
    from pipeline.beam.options import parse_beam_options
    from pipeline.subject_key import KEY_IN_ENVIRONMENT
    from pipeline.version import code_version

    try:
        arguments = shlex.split(options)
    except ValueError as error:
        raise UserError(f"beam_options can't be read ({error}): close each quote.") from error
    needs = Needs(
        read=(), write=folder, subject_key=KEY_IN_ENVIRONMENT, code_version=code_version()
    )
    return list(checked_options(parse_beam_options(arguments), needs))


def task_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parses the command line of a task; that of the process, if None."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.runners.kubeflow.entrypoint")
    parser.add_argument(
        "--check", action="store_true", help="import everything and run a tiny task: for an image"
    )
    parser.add_argument("--executor_class_path", help="the executor's class")
    parser.add_argument("--json_serialized_invocation_args", help="the launcher's {{$}}")
    parser.add_argument("--json_serialized_inputs_spec_args", default="{}", help="declared inputs")
    parser.add_argument("--outputs_spec", default="{}", help="declared outputs")
    parser.add_argument("--stage", default="", help="name of the task")
    parser.add_argument("--study", default="", help="name of the study")
    parser.add_argument("--kind", default=TRAINING, choices=RUN_KINDS, help="what the run does")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
