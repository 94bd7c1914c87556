"""Starts runs without the wait for TensorFlow and TFX: a process that has loaded them forks them.

Most of a small run's time goes into imports, and a campaign has dozens of runs. This process loads
the libraries once, uses none of them, and forks for each run, which is then as one that was started
by a command line: a supervisor in a session of its own, and its child that does the work.

`python -m tests.campaign.warm` reads a JSON object a line and answers each with two: the id of the
process that it has started, and how that process ended.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import resource
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from tests.campaign.holds import Hold, Point

_LIBRARIES = (
    "tfx.components.statistics_gen.executor",
    "tfx.components.example_validator.executor",
    "tfx.components.transform.executor",
    "tfx.components.trainer.executor",
    "tfx.components.pusher.executor",
    "tfx.orchestration.portable.launcher",
    "tensorflow_model_analysis",
    "pipeline.cli.commands.run",
    "pipeline.pipeline",
    "pipeline.runners.local.observed",
    "pipeline.runners.local.leftovers",
    "pipeline.store.export",
    "pipeline.synthetic.write",
    "pipeline.reading.fingerprint",
    "sklearn.ensemble",
    "trainer.run",
    "trainer.preprocessing",
)


def _load() -> None:
    for name in _LIBRARIES:
        importlib.import_module(name)
    components = importlib.import_module("components")
    for found in pkgutil.walk_packages(components.__path__, "components."):
        importlib.import_module(found.name)


def _run(request: dict[str, Any]) -> NoReturn:
    """Becomes a run; only its end leaves this function."""
    from pipeline.cli.main import main
    from pipeline.runners import supervise

    status = 1
    try:
        os.setsid()
        os.chdir(request["folder"])
        for descriptor, name in ((0, os.devnull), (1, request["terminal"]), (2, request["errors"])):
            file = os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(file, descriptor)
            os.close(file)
        os.environ.update(request["environment"])
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        # Loaded, but never used: no thread of TensorFlow is lost in a child.
        supervise._can_fork = lambda: True
        if hold := request["hold"]:
            Hold(hold["stage"], Point(hold["point"])).install(Path(hold["reached"]))
        for name, limit in _limits(request["limits"]).items():
            resource.setrlimit(getattr(resource, name), (limit, limit))
        status = main(["run", *request["arguments"]])
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _limits(given: dict[str, int]) -> dict[str, int]:
    """Limits by name; that of the address space is counted from what is taken already."""
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    return {name: limit + taken * (name == "RLIMIT_AS") for name, limit in given.items()}


def _answer(content: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


def _main() -> None:
    with contextlib.redirect_stdout(sys.stderr):
        _load()
    gc.collect()
    gc.freeze()
    _answer({"pid": os.getpid()})
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _run(json.loads(line))
        _answer({"pid": child})
        _answer({"status": os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])})


if __name__ == "__main__":
    _main()
