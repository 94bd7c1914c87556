"""The prediction service beside MLServer, on the same SavedModel.

Both run in one environment of their own (requirements/mlserver.txt) at the same time, and are asked
in turns, on this machine, which they share with the client. MLServer serves a minimal model class
around `tf.saved_model.load` (benchmarks/mlserver_model.py) in its own process, its fastest setting
for a model as small as this one. Both are asked by the Open Inference Protocol, with the same
bytes; the service by `:predict` of TensorFlow Serving besides, with subjects (`instances`) and with
columns (`inputs`). The service also checks and flags columns, which MLServer does not.

    python -m benchmarks.serving ist --registry runs/registry
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import http_load, servers
from benchmarks import serving_requests as requests
from benchmarks.environments import environment
from benchmarks.report import machine, machine_line, markdown_table, spread, write_json
from benchmarks.serving_requests import Requests
from pipeline.errors import UserError
from pipeline.runs.registry import Registry
from pipeline.service.champion import champion_of_book
from pipeline.version import PROJECT

LOCK = "mlserver"
_RATE = 200.0
_SECONDS = 10
_ALONE = 500
_BATCH = 32
_BATCHES = 400
_BATCH_CLIENTS = 4
_WARM = 300
_EXPLAINED = 100
OURS = "the service, infer"
BY_ROW = "the service, instances"
BY_COLUMN = "the service, inputs"
THEIRS = "MLServer, infer"


@dataclass(frozen=True)
class Side:
    """How a server did by one protocol.

    Attributes:
        ready_seconds: From the start of its process until it was ready.
        alone_ms: Median of single rows of one client that waits for each answer.
        p50_ms: Median of single rows at 200 requests a second.
        p99_ms: 99 % of them took no longer.
        rows_per_second: In batches of 32, four clients.
        batch_cpu_ms: Processor time of the server for such a batch.
        memory_mb: Highest resident memory, MB of 10^6 bytes.
    """

    ready_seconds: float
    alone_ms: float
    p50_ms: float
    p99_ms: float
    rows_per_second: float
    batch_cpu_ms: float
    memory_mb: float


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.serving",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("study", nargs="?", default="synthetic", help="name of the study")
    parser.add_argument("--registry", default="runs/registry", help="root of the registry")
    parser.add_argument("--rounds", type=int, default=3, help="turns of both servers")
    parser.add_argument("--env", type=Path, help="environment that was made before")
    parser.add_argument("--out", type=Path, help="JSON file for the measurements")
    options = parser.parse_args(argv)
    try:
        champion = champion_of_book(Registry(options.registry).book(options.study))
    except UserError as error:
        parser.error(str(error))
    model = champion.entry.model_uri
    found = Found()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        programs = options.env / "bin" if options.env else environment(LOCK, folder / "env")
        columns = requests.columns_of(champion)
        for _ in range(options.rounds):
            log = folder / "service.log"
            started = servers.service(options.study, options.registry, log, programs / "python")
            with (
                started as service,
                _mlserver(programs, model, options.study, folder) as mlserver,
            ):
                _measure(service, mlserver, options.study, columns, found)
            found.bare_ms.append(_bare(programs, model, columns, folder, "all"))
            found.bare_thread_ms.append(_bare(programs, model, columns, folder, "one"))
    _report(found)
    if options.out:
        write_json(options.out, {"machine": machine(), **asdict(found)})
    return 0


@dataclass(frozen=True)
class Found:
    """What was measured, turn by turn.

    Attributes:
        sides: How each server did by each protocol, by a title.
        bare_ms: A call of the SavedModel alone with a single row, with TensorFlow's own choice of
            threads.
        bare_thread_ms: The same with one thread, as the service calls it.
        explained_ms: A single row with contributions.
    """

    sides: dict[str, list[Side]] = field(default_factory=dict)
    bare_ms: list[float] = field(default_factory=list)
    bare_thread_ms: list[float] = field(default_factory=list)
    explained_ms: list[float] = field(default_factory=list)


def _measure(
    service: servers.Server,
    mlserver: servers.Server,
    study: str,
    columns: dict[str, Any],
    found: Found,
) -> None:
    """One turn: each phase for each server and protocol before the next phase."""
    asked = {
        OURS: (service, requests.infer(study, columns)),
        BY_ROW: (service, requests.instances(study, columns)),
        BY_COLUMN: (service, requests.inputs(study, columns)),
        THEIRS: (mlserver, requests.infer(study, columns)),
    }
    for server, ask in asked.values():
        for rows in (1, _BATCH):
            http_load.as_fast_as_answered(server.port, ask.path, ask.body(rows), 1, _WARM)
    alone = {name: _alone(*one) for name, one in asked.items()}
    steady = {name: _steady(*one) for name, one in asked.items()}
    batches = {name: _batches(*one) for name, one in asked.items()}
    for name, (server, _) in asked.items():
        loaded, cpu = batches[name]
        side = Side(
            ready_seconds=server.ready_seconds,
            alone_ms=alone[name].at(0.5),
            p50_ms=steady[name].at(0.5),
            p99_ms=steady[name].at(0.99),
            rows_per_second=_BATCH * loaded.per_second,
            batch_cpu_ms=cpu,
            memory_mb=server.peak_memory_mb(),
        )
        found.sides.setdefault(name, []).append(side)
    found.explained_ms.append(_explained(service, requests.instances(study, columns)))


def _alone(server: servers.Server, asked: Requests) -> http_load.Load:
    return http_load.as_fast_as_answered(server.port, asked.path, asked.body(1), 1, _ALONE)


def _steady(server: servers.Server, asked: Requests) -> http_load.Load:
    number = int(_RATE * _SECONDS)
    return http_load.at_rate(server.port, asked.path, asked.body(1), _RATE, number)


def _batches(server: servers.Server, asked: Requests) -> tuple[http_load.Load, float]:
    """Batches, and the processor milliseconds of the server for one."""
    before = server.cpu_seconds()
    found = http_load.as_fast_as_answered(
        server.port, asked.path, asked.body(_BATCH), _BATCH_CLIENTS, _BATCHES
    )
    return found, (server.cpu_seconds() - before) / len(found.milliseconds) * 1000


def _explained(server: servers.Server, asked: Requests) -> float:
    """Median milliseconds of a single row with contributions."""
    content = json.loads(asked.body(1)) | {"signature_name": "columns_contributions"}
    body = json.dumps(content).encode()
    http_load.as_fast_as_answered(server.port, asked.path, body, 1, _EXPLAINED)
    return http_load.as_fast_as_answered(server.port, asked.path, body, 1, _EXPLAINED).at(0.5)


@contextmanager
def _mlserver(programs: Path, model: str, study: str, folder: Path) -> Iterator[servers.Server]:
    """Runs MLServer with the model."""
    port = servers.free_port()
    settings = {
        "host": "127.0.0.1",
        "http_port": port,
        "grpc_port": servers.free_port(),
        "metrics_port": servers.free_port(),
        "parallel_workers": 0,
        "debug": False,
    }
    served = {
        "name": study,
        "implementation": "benchmarks.mlserver_model.ColumnsModel",
        "parameters": {"uri": model},
    }
    place = folder / "mlserver"
    write_json(place / "settings.json", settings)
    write_json(place / "model-settings.json", served)
    command = (programs / "mlserver", "start", place)
    ready = f"/v2/models/{study}/ready"
    env = {"PYTHONPATH": str(PROJECT), "TF_CPP_MIN_LOG_LEVEL": "2"}
    with servers.running(command, port, ready, folder / "mlserver.log", env) as server:
        yield server


def _bare(programs: Path, model: str, columns: dict[str, Any], folder: Path, threads: str) -> float:
    """Median milliseconds of a call of the model with a single row."""
    path = folder / "columns.json"
    write_json(path, columns)
    command = [programs / "python", "-m", "benchmarks.bare_model", model, path, "1", str(_ALONE)]
    ended = subprocess.run(
        [*(str(part) for part in command), threads],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(ended.stdout.split()[-1])


def _report(found: Found) -> None:
    header = (
        *(
            "server",
            "ready, s",
            "single row alone, ms",
            "at 200/s: median, ms",
            "at 200/s: p99, ms",
        ),
        *(f"rows/s in batches of {_BATCH}", "beside MLServer", "processor ms a batch"),
        "memory, MB",
    )
    rows = [
        (
            name,
            spread([side.ready_seconds for side in turns], 1),
            spread([side.alone_ms for side in turns], 1),
            spread([side.p50_ms for side in turns], 1),
            spread([side.p99_ms for side in turns], 1),
            spread([side.rows_per_second for side in turns], 0),
            spread(
                [
                    side.rows_per_second / theirs.rows_per_second
                    for side, theirs in zip(turns, found.sides[THEIRS], strict=True)
                ]
            ),
            spread([side.batch_cpu_ms for side in turns]),
            spread([side.memory_mb for side in turns], 0),
        )
        for name, turns in found.sides.items()
    ]
    sys.stdout.write(f"{machine_line()}\n\n{markdown_table(header, rows)}\n")
    for threads, bare in (
        ("its own choice of threads", found.bare_ms),
        ("one thread", found.bare_thread_ms),
    ):
        over = [s.alone_ms - ms for s, ms in zip(found.sides[BY_ROW], bare, strict=True)]
        sys.stdout.write(
            f"the SavedModel's call alone, TensorFlow with {threads}: {spread(bare)} "
            f"ms; `{BY_ROW}` on top of it: {spread(over)} ms\n"
        )
    sys.stdout.write(f"a row with contributions: {spread(found.explained_ms, 1)} ms\n")


if __name__ == "__main__":
    raise SystemExit(main())
