"""Sums predictions up, so that no single subject is shown."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from components.batch_scoring.settings import BatchScoringSettings
from pipeline.results.scored_file import FLAGS, flag_of, task_of
from pipeline.results.scoring import FLAG_TITLES, FlagCount, RiskBand, ScoredTask
from pipeline.skew.flags import reactions

_CELLS = 1000
_BANDS = 10


class Totals:
    """Counts of predictions, added up part by part.

    Attributes:
        subjects: Subjects so far.
    """

    def __init__(self) -> None:
        self.subjects = 0
        self._outputs: list[str] = []
        self._flags: Counter[str] = Counter()
        self._cells: dict[str, NDArray[np.int64]] = {}
        self._sums: defaultdict[str, float] = defaultdict(float)

    def add(self, part: pa.Table) -> None:
        """Adds the predictions of some subjects."""
        self.subjects += len(part)
        for found in pc.value_counts(pc.list_flatten(part[FLAGS])).to_pylist():
            self._flags[found["values"]] += found["counts"]
        self._outputs = [
            name
            for name, kind in zip(part.schema.names, part.schema.types, strict=True)
            if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)
        ]
        for task in {task_of(name) for name in self._outputs} & set(self._outputs):
            values = part[task].drop_null().to_numpy().astype(np.float64)
            cell = np.clip((values * _CELLS).astype(np.int64), 0, _CELLS - 1)
            cells = np.bincount(cell, minlength=_CELLS)
            self._cells[task] = self._cells.get(task, np.zeros(_CELLS, np.int64)) + cells
            self._sums[task] += float(values.sum())

    def tasks(self, settings: BatchScoringSettings) -> tuple[ScoredTask, ...]:
        """Mean and distribution of the predictions of each task."""
        return tuple(
            self._task(task, settings)
            for task in dict.fromkeys(task_of(name) for name in self._outputs)
        )

    def _task(self, task: str, settings: BatchScoringSettings) -> ScoredTask:
        cells = self._cells.get(task, np.zeros(_CELLS, np.int64))
        predicted = int(cells.sum())
        shown = predicted >= settings.smallest_group
        return ScoredTask(
            task=task,
            title=settings.titles.get(task) or task,
            outputs=tuple(name for name in self._outputs if task_of(name) == task),
            mean=round(self._sums[task] / predicted, 4) if shown else None,
            bands=risk_bands(cells, settings.smallest_group) if shown else (),
        )

    def flags(self, settings: BatchScoringSettings) -> tuple[FlagCount, ...]:
        """Subjects by flag; numbers are suppressed where few have it, or few have not."""
        happens = reactions(settings.scoring)
        kinds = list(FLAG_TITLES)
        found = [(flag_of(text), n) for text, n in self._flags.items()]
        return tuple(
            FlagCount(
                flag=flag,
                feature=feature,
                title=settings.features.get(feature) if feature else None,
                subjects=n
                if may_be_shown((n, self.subjects - n), settings.smallest_group)
                else None,
                reaction=happens[flag],
            )
            for (flag, feature), n in sorted(
                found, key=lambda item: (kinds.index(item[0][0]), item[0][1] or "")
            )
        )


def may_be_shown(parts: Iterable[int], smallest_group: int) -> bool:
    """Whether each part is empty or a group that is large enough."""
    return not any(0 < n < smallest_group for n in parts)


def risk_bands(cells: NDArray[np.int64], smallest_group: int) -> tuple[RiskBand, ...]:
    """Bands of the predictions, each with at least `smallest_group` subjects.

    Args:
        cells: Subjects by thousandths of the prediction, `[1000]`; enough for a band.
        smallest_group: Fewest subjects that a band has.
    """
    total = int(cells.sum())
    edges, filled = [0], 0
    width = len(cells) // _BANDS
    for end in range(width, len(cells) + 1, width):
        filled += int(cells[end - width : end].sum())
        if filled >= smallest_group:
            edges.append(end)
            filled = 0
    # What is left over joins the last band.
    edges[-1] = len(cells)
    return tuple(
        RiskBand(
            lower=start / len(cells),
            upper=end / len(cells),
            share=round(int(cells[start:end].sum()) / total, 2),
        )
        for start, end in itertools.pairwise(edges)
    )
