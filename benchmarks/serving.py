"""The prediction service beside MLServer, on the same SavedModel.

Both run in one environment of their own (requirements/mlserver.txt), one after the other, on this
machine, which they share with the client. MLServer serves a minimal model class around
`tf.saved_model.load` (benchmarks/mlserver_model.py) in its own process, its fastest setting for a
model as small as this one; the service answers `:predict` as TensorFlow Serving does. The service
also checks and flags columns, which MLServer does not.

    python -m benchmarks.serving ist --registry runs/registry
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import http_load, servers
from benchmarks.environments import environment
from benchmarks.report import machine, machine_line, markdown_table, spread, write_json
from pipeline.errors import UserError
from pipeline.runs.registry import Registry
from pipeline.service.champion import Champion, champion_of_book
from pipeline.service.inputs import Input
from pipeline.service.subject_columns import columns_of_arm
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


@dataclass(frozen=True)
class Side:
    """How a server did.

    Attributes:
        ready_seconds: From the start of its process until it was ready.
        alone_ms: Median of single rows of one client that waits for each answer.
        p50_ms: Median of single rows at 200 requests a second.
        p99_ms: 99 % of them took no longer.
        rows_per_second: In batches of 32, four clients.
        memory_mb: Highest resident memory, MB of 10^6 bytes.
    """

    ready_seconds: float
    alone_ms: float
    p50_ms: float
    p99_ms: float
    rows_per_second: float
    memory_mb: float


@dataclass(frozen=True)
class _Requests:
    """Path and body of a single row and of a batch."""

    path: str
    body: Callable[[int], bytes]


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
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        programs = options.env / "bin" if options.env else environment(LOCK, folder / "env")
        columns = _columns(champion)
        sides: dict[str, list[Side]] = {"the service": [], "MLServer": []}
        bare, explained = list[float](), list[float]()
        for _ in range(options.rounds):
            service = servers.service(
                options.study, options.registry, folder / "service.log", programs / "python"
            )
            asked = _of_service(options.study, columns)
            sides["the service"].append(_measured(service, asked, explained))
            mlserver = _mlserver(programs, model, options.study, folder)
            sides["MLServer"].append(_measured(mlserver, _of_mlserver(options.study, columns)))
            bare.append(_bare(programs, model, columns, folder))
    _report(sides, bare, explained)
    if options.out:
        content = {name: [asdict(side) for side in found] for name, found in sides.items()}
        more = {"bare_ms": bare, "explained_ms": explained}
        write_json(options.out, {"machine": machine(), **content, **more})
    return 0


def _measured(
    started: AbstractContextManager[servers.Server],
    asked: _Requests,
    explained: list[float] | None = None,
) -> Side:
    with started as server:
        port, single, batch = server.port, asked.body(1), asked.body(_BATCH)
        for body in (single, batch):
            http_load.as_fast_as_answered(port, asked.path, body, 1, _WARM)
        alone = http_load.as_fast_as_answered(port, asked.path, single, 1, _ALONE)
        steady = http_load.at_rate(port, asked.path, single, _RATE, int(_RATE * _SECONDS))
        batches = http_load.as_fast_as_answered(port, asked.path, batch, _BATCH_CLIENTS, _BATCHES)
        memory = server.peak_memory_mb()
        if explained is not None:
            content = json.loads(single) | {"signature_name": "columns_contributions"}
            body = json.dumps(content).encode()
            http_load.as_fast_as_answered(port, asked.path, body, 1, _EXPLAINED)
            found = http_load.as_fast_as_answered(port, asked.path, body, 1, _EXPLAINED)
            explained.append(found.at(0.5))
        return Side(
            ready_seconds=server.ready_seconds,
            alone_ms=alone.at(0.5),
            p50_ms=steady.at(0.5),
            p99_ms=steady.at(0.99),
            rows_per_second=_BATCH * batches.per_second,
            memory_mb=memory,
        )


def _of_service(study: str, columns: dict[str, Any]) -> _Requests:
    def body(rows: int) -> bytes:
        return json.dumps({"instances": [columns] * rows}).encode()

    return _Requests(f"/v1/models/{study}:predict", body)


def _of_mlserver(study: str, columns: dict[str, Any]) -> _Requests:
    def body(rows: int) -> bytes:
        tensors = [
            {
                "name": name,
                "shape": [rows],
                "datatype": "BYTES" if isinstance(value, str) else "FP32",
                "data": [value] * rows,
            }
            for name, value in columns.items()
        ]
        return json.dumps({"inputs": tensors}).encode()

    return _Requests(f"/v2/models/{study}/infer", body)


def _columns(champion: Champion) -> dict[str, Any]:
    """A subject with a value of every column that the model reads, by argument."""
    inputs = champion.inputs
    values = {column.name: _value(column) for column in inputs.columns}
    if inputs.arm:
        # The arm's own columns must not say another arm.
        of_arm = columns_of_arm(champion.study, str(values[inputs.arm.name])) or {}
        values |= {name: value for name, value in of_arm.items() if name in values}
    return {column.argument: values[column.name] for column in inputs.columns}


def _value(column: Input) -> float | str:
    if column.kind == "number":
        return round((column.seen.lower + column.seen.upper) / 2, 1)
    return column.shown[0] if column.shown else ""


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


def _bare(programs: Path, model: str, columns: dict[str, Any], folder: Path) -> float:
    """Median milliseconds of a call of the model with a single row."""
    path = folder / "columns.json"
    write_json(path, columns)
    command = [programs / "python", "-m", "benchmarks.bare_model", model, path, "1", str(_ALONE)]
    ended = subprocess.run(
        [str(part) for part in command],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(ended.stdout.split()[-1])


def _report(sides: dict[str, list[Side]], bare: list[float], explained: list[float]) -> None:
    header = (
        *(
            "server",
            "ready, s",
            "single row alone, ms",
            "at 200/s: median, ms",
            "at 200/s: p99, ms",
        ),
        *(f"rows/s in batches of {_BATCH}", "memory, MB"),
    )
    rows = [
        (
            name,
            spread([side.ready_seconds for side in found], 1),
            spread([side.alone_ms for side in found], 1),
            spread([side.p50_ms for side in found], 1),
            spread([side.p99_ms for side in found], 1),
            spread([side.rows_per_second for side in found], 0),
            spread([side.memory_mb for side in found], 0),
        )
        for name, found in sides.items()
    ]
    overhead = [side.alone_ms - call for side, call in zip(sides["the service"], bare, strict=True)]
    sys.stdout.write(f"{machine_line()}\n\n{markdown_table(header, rows)}\n")
    sys.stdout.write(
        f"the SavedModel's call alone: {spread(bare)} ms; the service on top of it: "
        f"{spread(overhead)} ms; a row with contributions: {spread(explained, 1)} ms\n"
    )


if __name__ == "__main__":
    raise SystemExit(main())
