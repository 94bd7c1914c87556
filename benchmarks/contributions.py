"""Milliseconds that the contributions of one subject take on one core.

The signatures `columns_contributions` and `columns_interactions` of a served model are called with
one row, as a page for one patient does, and with a batch; beside them `columns`, which predicts the
same rows.

    python -m benchmarks.contributions runs/cdisc_pilot01/serving/1764336000

It fails if the contributions of one row take more than 50 ms.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.report import machine_line, markdown_table, spread

_CALLS = 100
_BATCH = 256
_MOST_MILLISECONDS = 50.0
_SIGNATURES = ("columns", "columns_contributions", "columns_interactions")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0; 1 if the contributions of one row take more than 50 ms.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.contributions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", type=Path, help="folder of a served model")
    arguments = parser.parse_args(argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    signatures = tf.saved_model.load(str(arguments.model)).signatures
    rows, medians = [], {}
    for name in _SIGNATURES:
        signature = signatures[name]
        single = _milliseconds(signature, _rows(signature, 1), _CALLS)
        batch = _milliseconds(signature, _rows(signature, _BATCH), _CALLS // 10)
        medians[name] = median(single)
        rows.append((name, spread(single, 1), f"{median(batch) / _BATCH:.2f}"))
    features = len(signatures[_SIGNATURES[0]].structured_input_signature[1])
    sys.stdout.write(f"{machine_line()}\n\n{features} features, one core\n\n")
    header = ("signature", "one row, ms", f"a row of a batch of {_BATCH}, ms")
    sys.stdout.write(markdown_table(header, rows))
    return int(medians["columns_contributions"] > _MOST_MILLISECONDS)


def _rows(signature: Any, count: int) -> dict[str, Any]:
    """Rows with random numbers and without categories, which a model takes for missing."""
    import tensorflow as tf

    random = np.random.default_rng(0)
    _, inputs = signature.structured_input_signature
    return {
        name: tf.constant(random.normal(50, 20, count), tf.float32)
        if spec.dtype == tf.float32
        else tf.constant([""] * count)
        for name, spec in inputs.items()
    }


def _milliseconds(signature: Any, rows: dict[str, Any], calls: int) -> list[float]:
    signature(**rows)
    found = []
    for _ in range(calls):
        started = time.perf_counter()
        signature(**rows)
        found.append((time.perf_counter() - started) * 1000)
    return found


if __name__ == "__main__":
    raise SystemExit(main())
