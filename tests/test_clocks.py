"""No test asserts how long something takes: that depends on the machine.

Durations are for benchmarks. A test that guards against work which grows too fast counts the work.
`time.monotonic` stays for the end of a wait.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
STOPWATCHES = {
    "cpu_times",
    "getrusage",
    "perf_counter",
    "perf_counter_ns",
    "process_time",
    "timeit",
}


def stopwatches(source: str) -> list[int]:
    """Lines that measure a duration."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Attribute) and node.attr in STOPWATCHES)
        or (isinstance(node, ast.Name) and node.id in STOPWATCHES)
    ]


@pytest.mark.parametrize(
    "code", ["start = time.process_time()", "perf_counter()", "timeit.timeit(work)"]
)
def test_a_measured_duration_is_found(code: str) -> None:
    assert set(stopwatches(f"\n{code}\n")) == {2}


def test_no_test_measures_a_duration() -> None:
    found = {path: stopwatches(path.read_text("utf-8")) for path in TESTS.rglob("*.py")}
    assert len(found) > 300
    assert {str(path): lines for path, lines in found.items() if lines} == {}
