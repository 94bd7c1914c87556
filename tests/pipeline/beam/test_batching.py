"""Rows are batched by their bytes, also by workers that know nothing of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

_HERE = """
import base64
from apache_beam.internal import pickler
from apache_beam.transforms.util import BatchElements
from tfx_bsl.coders import batch_util
from pipeline.beam.batching import batch_by_bytes
batch_by_bytes()
batches = BatchElements(**batch_util.GetBatchElementsKwargs(None))
print(pickler.dumps(batches).decode())
"""
_THERE = """
import sys
from apache_beam.internal import pickler
batches = pickler.loads(sys.stdin.read().strip().encode())
sizes = batches._batch_size_estimator
print(sizes._min_batch_size, sizes._max_batch_size, batches._element_size_fn(b"x" * 5000))
"""


def _run(script: str, given: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], input=given, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.slow
def test_a_graph_that_is_sent_to_a_worker_includes_the_sizes_of_its_batches() -> None:
    smallest, largest, size_of_an_element = map(int, _run(_THERE, _run(_HERE)).split())

    assert smallest == largest == 20 * 2**20
    assert size_of_an_element == 5000
