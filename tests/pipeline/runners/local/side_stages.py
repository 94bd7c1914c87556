"""An executor that does what a test asks for, in the process beside a run's own."""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path
from typing import Any

from tfx.dsl.components.base import base_executor

from pipeline.errors import UserError


class _LockedError(Exception):
    """An exception that can't be pickled."""

    def __init__(self) -> None:
        super().__init__("a bug")
        self.lock = threading.Lock()


class Executor(base_executor.BaseExecutor):  # type: ignore[misc]
    """Does what the parameter `does` says, in `folder`."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Does it."""
        del input_dict, output_dict
        folder = Path(exec_properties["folder"])
        match exec_properties["does"]:
            case "write":
                (folder / "process").write_text(str(os.getpid()))
            case "log 7 rows":
                logging.getLogger("a.component").info("rows", extra={"rows": {"subjects": 7}})
            case "fail with a user's mistake":
                raise UserError("no column AGE")
            case "fail with a bug":
                raise _LockedError
            case "abort":
                os.abort()
            case "wait":
                (folder / "waits").touch()
                while True:
                    time.sleep(1)
