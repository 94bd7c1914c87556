"""The process in which the pages of a Parquet file are read first.

Arrow before 14 crashes on some damaged files: only this process then ends. It runs as a script, see
`pipeline.reading.formats.child_process`.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys

import pyarrow as pa
import pyarrow.parquet as pq

_ROWS = 20_000


def main() -> None:
    """Answers requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    # What a library prints must not get between the answers.
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        _read(**json.loads(line))
        answers.write(b'{"bytes": 0}\n')
        answers.flush()


def _read(path: str, columns: list[str]) -> None:
    """Reads a file's footer, and all records of some columns; who asks finds errors on its own."""
    with contextlib.suppress(pa.ArrowException, MemoryError, OSError, RuntimeError, ValueError):
        file = pq.ParquetFile(path)
        if columns:
            for batch in file.iter_batches(_ROWS, columns=columns):
                batch.validate(full=True)


if __name__ == "__main__":
    main()
