"""Milliseconds of a call of a SavedModel without any server.

    python -m benchmarks.bare_model FOLDER ROWS.json ROWS CALLS THREADS

THREADS is `all`, as many as TensorFlow chooses, or `one`, as in the prediction service. It runs in
the environment of the servers, and writes the median to standard output.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

SIGNATURE = "columns"


def main(arguments: Sequence[str]) -> int:
    """Calls the signature with tensors that are made before."""
    folder, columns, rows, calls, threads = arguments
    sys.modules["keras"] = None  # type: ignore[assignment]
    import tensorflow as tf

    if threads == "one":
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    signature = tf.saved_model.load(folder).signatures[SIGNATURE]
    found = json.loads(Path(columns).read_text(encoding="utf-8"))
    tensors = {
        name: tf.constant([value] * int(rows), signature.structured_input_signature[1][name].dtype)
        for name, value in found.items()
    }
    signature(**tensors)
    milliseconds = []
    for _ in range(int(calls)):
        started = time.perf_counter()
        signature(**tensors)
        milliseconds.append((time.perf_counter() - started) * 1000)
    sys.stdout.write(f"{median(milliseconds)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
