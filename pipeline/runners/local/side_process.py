"""A process beside the run's own, in which the executors of the second lane run.

It starts before this process loads TensorFlow and loads its own libraries on another core
meanwhile. The driver and the publisher of its stages, and with them ML Metadata, stay here.
"""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from pipeline.errors import UserError
from pipeline.runners.supervise import Death, how_it_died

if TYPE_CHECKING:
    from tfx.orchestration.portable.data_types import ExecutionInfo

_SECONDS_TO_END = 5


def _program(connection: int) -> str:
    """The process's program: it finds modules where this process does, whatever the folder."""
    return (
        f"import sys; sys.path[:] = {sys.path!r}; "
        "from pipeline.runners.local.side_main import main; "
        f"main({connection}, {os.getpid()})"
    )


class SideProcessDied(UserError):  # noqa: N818 (named for what happened)
    """The process ended in the middle of a stage; the message says how.

    Args:
        stage: The stage.
        death: How.

    Attributes:
        death: How.
    """

    def __init__(self, stage: str, death: Death) -> None:
        super().__init__(f"Stage {stage}: its process {death}.")
        self.death = death


class SideProcess:
    """The process, from its start on.

    Attributes:
        process_id: Its number.
    """

    def __init__(self) -> None:
        here, there = socket.socketpair()
        with there:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _program(there.fileno())],
                pass_fds=[there.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self._connection = Connection(here.detach())
        self._interrupted = False
        self.process_id = self._process.pid

    def run_executor(self, stage: str, spec: Any, execution: ExecutionInfo) -> Any:
        """Runs a stage's executor there; its log records are handled here, marked `beside`.

        Args:
            stage: The stage.
            spec: TFX's specification of the executor.
            execution: What the executor is called with.

        Returns:
            TFX's `ExecutorOutput`.

        Raises:
            SideProcessDied: The process died.
            KeyboardInterrupt: `interrupt` was called.
            Exception: What the executor raised.
        """
        try:
            self._connection.send((stage, spec, execution.to_proto()))
            while True:
                kind, content = self._connection.recv()
                if kind == "returned":
                    return content
                if kind == "raised":
                    raise content
                record = logging.makeLogRecord(content)
                logging.getLogger(record.name).handle(record)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            if self._interrupted:
                raise KeyboardInterrupt from None
            died = how_it_died(self._process.wait())
            raise SideProcessDied(stage, died) from None

    def interrupt(self) -> None:
        """Ends the process and the stage in it, which raises a KeyboardInterrupt here."""
        self._interrupted = True
        self._process.kill()

    def close(self) -> None:
        """Ends the process, which is expected to do nothing."""
        self._connection.close()
        try:
            self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
