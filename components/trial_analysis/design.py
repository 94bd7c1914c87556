"""Covariates as the columns of a regression, without those that say nothing of their own.

A covariate that repeats the arm, or is missing in one of two groups only, can't be distinguished
from the treatment: whatever is attributed to the one is taken from the other, so a difference
adjusted for it is no difference between the groups. One that follows from the others changes
nothing. Either is found by the rank of the columns and left out by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.trial_analysis.subjects import TrialSubjects
from pipeline.results.analysis import DroppedCovariate, DropReason

Floats = NDArray[np.float64]

_FEWEST_WITH_VALUE = 20
"""Values of fewer subjects share a coefficient: each alone could separate the outcomes."""

_DEPENDENT = 1e-7
"""Share of a column's length outside of the others' span below which it depends on them. R's
`lm` has the same limit."""

_ROUNDING = 16
"""A number is stored in single precision: by so many units of its last digit a combination of
others may differ from what they combine to."""


@dataclass(frozen=True)
class CovariateColumns:
    """A covariate.

    Attributes:
        name: Name of the characteristic.
        columns: Shape [m, columns]; none where it has the same value for all.
        resolution: Error by which storage in single precision may have moved a value, in the
            units of the columns.
    """

    name: str
    columns: Floats
    resolution: float = 0.0


@dataclass(frozen=True)
class Design:
    """Covariates of a comparison of two groups.

    Attributes:
        columns: Shape [m, columns]; with a constant and the group they are independent.
        kept: The covariates whose columns these are.
        dropped: The others.
    """

    columns: Floats
    kept: tuple[CovariateColumns, ...]
    dropped: tuple[DroppedCovariate, ...]


def covariate_columns(
    subjects: TrialSubjects, covariates: Sequence[str], places: NDArray[np.int64]
) -> list[CovariateColumns]:
    """Covariates as columns.

    A missing number becomes the mean, with a column of its own that says so; a missing category
    is a value like another. With random assignment neither biases a difference of arms (White
    IR, Thompson SG. Stat Med 2005;24:993-1007).

    Args:
        subjects: The subjects.
        covariates: Names of characteristics.
        places: Which subjects, shape [m].

    Returns:
        The covariates in the same order; no constant.
    """
    found = []
    for name in covariates:
        if name in subjects.numbers:
            found.append(_number(name, subjects.numbers[name][places].astype(np.float64)))
        else:
            columns = _category_columns(subjects.categories[name].codes[places])
            found.append(CovariateColumns(name, _side_by_side(columns, len(places))))
    return found


def independent_design(
    covariates: Sequence[CovariateColumns], treated: NDArray[np.bool_]
) -> Design:
    """Excludes covariates that repeat the group or follow from earlier covariates.

    Of columns that depend on each other the later ones are left out, so that the order of the
    study file decides. Columns that repeat the missing values that two covariates share are
    redundant, but their covariates stay.

    Args:
        covariates: The covariates, shapes [m, columns].
        treated: Who belongs to the group that is compared, shape [m].
    """
    limit = max([_DEPENDENT, *(_ROUNDING * covariate.resolution for covariate in covariates)])
    span = Span(limit).extend(np.ones(len(treated)))
    spans = _Spans(span, span.extend(treated.astype(np.float64)))
    kept: list[CovariateColumns] = []
    dropped: list[DroppedCovariate] = []
    columns: list[Floats] = []
    for covariate in covariates:
        grown = spans
        own: list[Floats] = []
        reason: DropReason = "repeats others" if covariate.columns.size else "constant"
        for column in covariate.columns.T:
            if grown.covariates.holds(column):
                continue
            if grown.with_group.holds(column):
                own, reason = [], "repeats the group"
                break
            grown = _Spans(grown.covariates.extend(column), grown.with_group.extend(column))
            own.append(column)
        if own:
            spans = grown
            columns += own
            kept.append(covariate)
        else:
            dropped.append(DroppedCovariate(name=covariate.name, reason=reason))
    return Design(_side_by_side(columns, len(treated)), tuple(kept), tuple(dropped))


@dataclass(frozen=True)
class _Spans:
    """What the columns so far combine to, without and with the group."""

    covariates: Span
    with_group: Span


def independent_columns(matrix: Floats) -> Floats:
    """The columns that are no linear combination of those before them."""
    span = Span()
    kept = []
    for column in matrix.T:
        if not span.holds(column):
            span = span.extend(column)
            kept.append(column)
    return _side_by_side(kept, len(matrix))


class Span:
    """Linear combinations of columns.

    A QR decomposition by Gram and Schmidt's method, twice for each column (Giraud L, et al.
    Numer Math 2005;101:87-100). A dependent column is passed over, as in R's `lm`, instead of
    exchanged for the longest one, so that the order of the columns decides which stay.

    Args:
        limit: Share of a column's length outside of the span below which it depends on it.
        basis: Orthonormal columns, shape [m, k]; None for none.
    """

    def __init__(self, limit: float = _DEPENDENT, basis: Floats | None = None) -> None:
        self._limit = limit
        self._basis = basis

    def holds(self, column: Floats) -> bool:
        """Whether a column, shape [m], is a combination of those of the span."""
        return bool(np.linalg.norm(self._outside(column)) <= self._limit)

    def extend(self, column: Floats) -> Span:
        """The span with one more column, which it must not hold."""
        outside = self._outside(column)
        outside = (outside / np.linalg.norm(outside))[:, None]
        basis = outside if self._basis is None else np.hstack([self._basis, outside])
        return Span(self._limit, basis)

    def _outside(self, column: Floats) -> Floats:
        length = np.linalg.norm(column)
        rest = column / length if length > 0 else column
        if self._basis is not None:
            for _ in range(2):
                rest = rest - self._basis @ (self._basis.T @ rest)
        return rest


def separating_covariates(
    positive: Floats, treated: NDArray[np.bool_], covariates: Sequence[CovariateColumns]
) -> tuple[str, ...]:
    """Covariates that separate subjects with and without the event: no odds ratio is finite.

    Args:
        positive: 1.0 with the event, shape [m].
        treated: Who belongs to the group that is compared, shape [m].
        covariates: The covariates, shapes [m, columns].

    Returns:
        Names of those that do so by themselves; where none does, of those that do so together;
        empty where the outcomes overlap.
    """
    start = [np.ones(len(positive)), treated.astype(np.float64)]
    alone = [
        item.name
        for item in covariates
        if np.any(_separation(np.column_stack([*start, item.columns]), positive))
    ]
    if alone:
        return tuple(alone)
    matrix = np.column_stack([*start, *(item.columns for item in covariates)])
    direction = np.abs(_separation(matrix, positive)) > 0
    ends = np.cumsum([len(start), *(item.columns.shape[1] for item in covariates)])
    return tuple(
        item.name
        for item, first, end in zip(covariates, ends[:-1], ends[1:], strict=True)
        if direction[first:end].any()
    )


def _separation(matrix: Floats, positive: Floats) -> Floats:
    """Direction in which the likelihood grows without end; zero where the outcomes overlap.

    A linear programme (Konis K. Linear programming algorithms for detecting separated data in
    binary logistic regression models. Oxford, 2007, section 4.2).
    """
    from scipy.optimize import linprog

    towards = matrix * np.where(positive > 0, 1.0, -1.0)[:, None]
    found = linprog(
        -towards.sum(axis=0),
        A_ub=-towards,
        b_ub=np.zeros(len(towards)),
        bounds=(-1, 1),
        method="highs",
    )
    # A single subject beyond the others is worth about 1; the solver's tolerance is 1e-7 each.
    if found.x is None or -found.fun < 0.5:
        return np.zeros(matrix.shape[1])
    return np.where(np.abs(found.x) > 1e-6, found.x, 0.0)


def _number(name: str, values: Floats) -> CovariateColumns:
    missing = np.isnan(values)
    known = values[~missing]
    spread = known.std() if len(known) else 0.0
    columns: list[Floats] = []
    resolution = 0.0
    if spread > 0:
        columns = [np.where(missing, 0.0, (values - known.mean()) / spread)]
        resolution = float(np.finfo(np.float32).eps * np.abs(known).max() / spread)
        if missing.any():
            columns.append(missing.astype(np.float64))
    return CovariateColumns(name, _side_by_side(columns, len(values)), resolution)


def _category_columns(codes: NDArray[np.int32]) -> list[Floats]:
    found, sizes = np.unique(codes, return_counts=True)
    rare = found[sizes < _FEWEST_WITH_VALUE]
    together = np.where(np.isin(codes, rare), -2, codes)
    # The most frequent value is what the others are compared with.
    values, sizes = np.unique(together, return_counts=True)
    return [(together == value).astype(np.float64) for value in np.delete(values, np.argmax(sizes))]


def _side_by_side(columns: Sequence[Floats], rows: int) -> Floats:
    return np.column_stack(columns) if columns else np.empty((rows, 0))
