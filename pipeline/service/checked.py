"""What a check of subjects hands on to the model and to the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class CheckedRows:
    """Columns of n subjects, as the model's signature `columns_with_slices` takes them.

    Attributes:
        rows: n.
        arguments: float32 with NaN, or bytes with `b""`, where missing, `[n]`, by argument.
        slices: The group of each subject by slicing, `""` where it is not known, `[n]`.
        unknown: What is unknown of each subject: `population`, `landmark`.
        flags: Flags of each subject, as the file of a batch scoring writes them.
        arms: The arm that each subject is predicted under; None where the model reads none.
    """

    rows: int
    arguments: dict[str, NDArray[Any]]
    slices: Mapping[str, NDArray[np.object_]]
    unknown: tuple[tuple[str, ...], ...]
    flags: tuple[tuple[str, ...], ...]
    arms: tuple[str, ...] | None

    def part(self, rows: slice) -> CheckedRows:
        """Some of the subjects, one after the other."""
        return CheckedRows(
            rows=len(self.flags[rows]),
            arguments={name: values[rows] for name, values in self.arguments.items()},
            slices={name: values[rows] for name, values in self.slices.items()},
            unknown=self.unknown[rows],
            flags=self.flags[rows],
            arms=None if self.arms is None else self.arms[rows],
        )
