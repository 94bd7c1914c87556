"""Starts the run of a retraining: in a process of its own, or on Kubeflow."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from pipeline.errors import UserError, reason_of
from pipeline.runners.kubeflow.form import RunForm
from pipeline.runners.kubeflow.submit import Target, submit


class Start(Protocol):
    """A way to start a run."""

    @property
    def running(self) -> str:
        """What it has started that is not over, as far as it knows; empty for nothing."""

    def __call__(self) -> str:
        """Starts a run.

        Returns:
            Its id, or what else people find it by.

        Raises:
            UserError: It can't be started.
        """


@dataclass
class LocalStart:
    """Starts `trial run` in a process that outlives the one that asks.

    Attributes:
        options: Options of `trial run`.
    """

    options: Sequence[str]
    _process: subprocess.Popen[bytes] | None = None
    _began: str = ""

    @property
    def running(self) -> str:
        """When its process began, while it lives."""
        is_alive = self._process is not None and self._process.poll() is None
        return self._began if is_alive else ""

    def __call__(self) -> str:
        """Starts the process."""
        command = [sys.executable, "-m", "pipeline.cli", "run", *self.options]
        try:
            # A signal to the listening process does not end the run.
            self._process = subprocess.Popen(command, start_new_session=True)
        except OSError as error:
            raise UserError(f"`trial run` can't be started: {reason_of(error)}.") from error
        self._began = f"of {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        return self._began


@dataclass
class KubeflowStart:
    """Submits a compiled package.

    Attributes:
        target: Where to.
        form: The form of the package.
        values: Values of the form.
    """

    target: Target
    form: RunForm
    values: Mapping[str, object] = field(default_factory=dict)
    running: str = ""

    def __call__(self) -> str:
        """Submits it."""
        return submit(self.target, self.form, self.values)
