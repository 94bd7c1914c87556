"""What a command answers: lines for a person, and one JSON document for a machine."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any


class ExitCode(IntEnum):
    """How a command ended, for the shell; docs/cli.md explains them."""

    DONE = 0
    BROKE = 1
    USER_MUST_FIX = 2
    MODEL_REFUSED = 3
    ALARMED = 4
    INTERRUPTED = 130


@dataclass(frozen=True)
class Answer:
    """What a command hands over when it ends.

    Attributes:
        content: For `--json`: JSON-like, with paths as text.
        exit_code: How it ended.
    """

    content: Mapping[str, Any] = field(default_factory=dict)
    exit_code: ExitCode = ExitCode.DONE


@contextlib.contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Sends everything that is written to standard output to standard error meanwhile.

    Libraries print, some of them from C++, so the process's file descriptor is redirected too.
    """
    sys.stdout.flush()
    saved = os.dup(1)
    os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        sys.stdout.flush()
        os.dup2(saved, 1)
        os.close(saved)


def write_json(command: str, exit_code: ExitCode, content: Mapping[str, Any]) -> None:
    """Writes the JSON document of a command to standard output.

    Args:
        command: Its name, without `trial`.
        exit_code: How it ended.
        content: What it answers.
    """
    document = {"command": command, "exit_code": int(exit_code), **content}
    sys.stdout.write(json.dumps(document, indent=1, default=str) + "\n")
    sys.stdout.flush()
