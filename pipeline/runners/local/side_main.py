"""The program of the second lane's process.

It reads stages from its parent and runs their executors, one after the other, until the parent
closes the connection.
"""

from __future__ import annotations

import faulthandler
import importlib
import logging
import logging.handlers
import os
import signal
import sys
import traceback
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from pipeline import interrupts
from pipeline.beam.failure import find_user_error
from pipeline.runners.local.importing import collection_paused
from pipeline.runners.supervise import can_travel, die_with

_LOADED_EARLY = (
    "tfx.components.statistics_gen.executor",
    "tfx.components.example_validator.executor",
    "components.data_gate.executor",
    "components.trial_summary.executor",
    "components.trial_analysis.executor",
    "components.reference_models.executor",
    "tfx.orchestration.portable.launcher",
)


class _ToParent(logging.handlers.QueueHandler):
    """Sends log records to the parent, whose handlers write and show them."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)  # type: ignore[arg-type]
        self._connection = connection

    def enqueue(self, record: logging.LogRecord) -> None:
        """Sends a record; the parent's `logging` gives it the mark of the second lane."""
        self._connection.send(("logged", {**record.__dict__, "beside": True}))


def main(connection: int, parent: int) -> NoReturn:
    """Runs executors until the parent closes the connection, and ends the process.

    Args:
        connection: File descriptor of the connection to the parent.
        parent: The parent's number.
    """
    # The parent passes on what ends the run by ending this process.
    for number in interrupts.ENDING:
        signal.signal(number, signal.SIG_IGN)
    die_with(parent)
    faulthandler.enable()
    _serve(Connection(connection))
    sys.stdout.flush()
    sys.stderr.flush()
    # Nothing is left to be done, and TensorFlow takes its time to do it.
    os._exit(0)


def _serve(connection: Connection) -> None:
    with collection_paused():
        for module in _LOADED_EARLY:
            importlib.import_module(module)
    from pipeline.beam.batching import batch_by_bytes

    batch_by_bytes()
    handler = _ToParent(connection)
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    while True:
        try:
            stage, spec, invocation = connection.recv()
        except EOFError:
            return
        root.addHandler(handler)
        answer = _answer(stage, spec, invocation)
        root.removeHandler(handler)
        with handler.lock:  # type: ignore[union-attr]
            connection.send(answer)


def _answer(stage: str, spec: Any, invocation: Any) -> tuple[str, Any]:
    from tfx.orchestration.portable.data_types import ExecutionInfo
    from tfx.orchestration.portable.launcher import DEFAULT_EXECUTOR_OPERATORS

    from pipeline.runs.stage_rows import log_rows

    try:
        execution = ExecutionInfo.from_proto(invocation)
        output = DEFAULT_EXECUTOR_OPERATORS[type(spec)](spec).run_executor(execution)
        log_rows(stage, execution.input_dict, execution.output_dict)
    except Exception as error:
        # Of what caused an exception nothing arrives but its text.
        text = "".join(traceback.format_exception(error))
        sent = find_user_error(error) or error
        sent.add_note(text)
        return "raised", can_travel(sent)
    return "returned", output
