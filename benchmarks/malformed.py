"""Thousands of malformed requests to the prediction service: none may be a fault of it.

schemathesis makes them from the service's own OpenAPI description, in an environment of its own
(requirements/schemathesis.txt): values at and beyond the limits of the description, other types,
other methods and media types, and what it finds by chance. It is run with one seed after another
until so many requests were sent, with the paths of the model and with others in turn: a request
that names another model is refused before its body is read.

    python -m benchmarks.malformed ist --registry runs/registry
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.environments import environment
from benchmarks.report import machine_line, markdown_table
from benchmarks.servers import service
from pipeline.errors import UserError

LOCK = "schemathesis"
_REQUESTS = 10_000
_CHECKS = (
    "not_a_server_error",
    "content_type_conformance",
    "response_schema_conformance",
    "status_code_conformance",
)
_TRACEBACK = "Traceback (most recent call last)"
_SERVER_ERROR = 500


@dataclass(frozen=True)
class Attacked:
    """What the service answered.

    Attributes:
        statuses: Answers by HTTP status.
        tracebacks: Answers with a traceback.
        failures: What schemathesis said where a check of it failed; empty where none did.
    """

    statuses: Counter[int]
    tracebacks: int
    failures: str

    @property
    def requests(self) -> int:
        """Number of requests."""
        return self.statuses.total()

    @property
    def server_errors(self) -> int:
        """Number of answers with a status of 500 or more."""
        return sum(n for status, n in self.statuses.items() if status >= _SERVER_ERROR)


def attack(
    program: Path, address: str, requests: int, folder: Path, examples: int = 100
) -> Attacked:
    """Sends malformed requests to a service.

    Args:
        program: The program of schemathesis.
        address: Address of the service.
        requests: How many at least.
        folder: Folder for its files.
        examples: Requests by chance for each endpoint, with each seed.

    Raises:
        UserError: It sent none.
    """
    described = f"{address}/openapi.json"
    with urllib.request.urlopen(described) as answer:
        paths = json.load(answer)["paths"]
    for name, parameters in (("model", _path_parameters(paths)), ("any", {})):
        lines = ["[parameters]", *(f'{key} = "{value}"' for key, value in parameters.items())]
        (folder / f"{name}.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    statuses, tracebacks, failures, seed = Counter[int](), 0, list[str](), 0
    while statuses.total() < requests:
        seed += 1
        report = folder / f"seed-{seed}.har"
        ended = subprocess.run(
            [
                *(program, "--config-file", folder / ("model.toml" if seed % 2 else "any.toml")),
                *("--no-color", "run", described, "--mode", "negative"),
                *("--phases", "coverage,fuzzing", "--checks", ",".join(_CHECKS)),
                *("--max-examples", str(examples), "--seed", str(seed), "--continue-on-failure"),
                *("--suppress-health-check", "all"),
                *("--report", "har", "--report-har-path", report),
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        said = ended.stdout + ended.stderr
        if not report.exists():
            raise UserError(f"schemathesis sent nothing: {said[-2000:]}")
        for entry in json.loads(report.read_text(encoding="utf-8"))["log"]["entries"]:
            statuses[entry["response"]["status"]] += 1
            tracebacks += _TRACEBACK in entry["response"]["content"].get("text", "")
        if ended.returncode:
            failures.append(said)
    return Attacked(statuses, tracebacks, "\n".join(failures))


def _path_parameters(paths: dict[str, Any]) -> dict[str, str]:
    """The values that the parts of paths may have, of which the description names one each."""
    return {
        parameter["name"]: parameter["schema"]["enum"][0]
        for methods in paths.values()
        for operation in methods.values()
        for parameter in operation.get("parameters", ())
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0; 1 where the service or its log shows a fault.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.malformed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("study", nargs="?", default="synthetic", help="name of the study")
    parser.add_argument("--registry", default="runs/registry", help="root of the registry")
    parser.add_argument("--requests", type=int, default=_REQUESTS, help="how many at least")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        program = environment(LOCK, folder / "env") / "schemathesis"
        with service(arguments.study, arguments.registry, folder / "service.log") as server:
            found = attack(program, server.address, arguments.requests, folder)
        logged = server.log.read_text(encoding="utf-8", errors="replace")
    rows = [(status, f"{count:,}") for status, count in sorted(found.statuses.items())]
    sys.stdout.write(f"{machine_line()}\n\n{found.requests:,} requests\n\n")
    sys.stdout.write(markdown_table(("status", "answers"), rows))
    sys.stdout.write(f"\n{found.tracebacks} answers with a traceback\n{found.failures}")
    faults = [line for line in logged.splitlines() if "Unexpected" in line or "Traceback" in line]
    sys.stdout.write("".join(f"the service's log: {line}\n" for line in faults))
    return int(bool(found.server_errors or found.tracebacks or found.failures or faults))


if __name__ == "__main__":
    raise SystemExit(main())
