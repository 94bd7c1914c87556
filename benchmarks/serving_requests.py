"""Requests to the prediction service and to MLServer, of subjects that are all the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.service.champion import Champion
from pipeline.service.inputs import Input
from pipeline.service.subject_columns import columns_of_arm


@dataclass(frozen=True)
class Requests:
    """Requests by one protocol.

    Attributes:
        path: Their path.
        body: Their body, by the number of subjects.
    """

    path: str
    body: Callable[[int], bytes]


def instances(study: str, columns: dict[str, Any]) -> Requests:
    """`:predict` of TensorFlow Serving, an object a subject."""

    def body(rows: int) -> bytes:
        return json.dumps({"instances": [columns] * rows}).encode()

    return Requests(f"/v1/models/{study}:predict", body)


def inputs(study: str, columns: dict[str, Any]) -> Requests:
    """`:predict` of TensorFlow Serving, a list a column."""

    def body(rows: int) -> bytes:
        return json.dumps({"inputs": {k: [v] * rows for k, v in columns.items()}}).encode()

    return Requests(f"/v1/models/{study}:predict", body)


def infer(study: str, columns: dict[str, Any]) -> Requests:
    """`infer` of the Open Inference Protocol, a tensor a column."""

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

    return Requests(f"/v2/models/{study}/infer", body)


def columns_of(champion: Champion) -> dict[str, Any]:
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
