"""Years of a model in service that are drawn at random: references, outcomes, counts by bin."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, ndtri, roots_hermitenorm

from pipeline.monitoring.alarms.spending import WINDOW, YEAR
from pipeline.monitoring.alarms.state import Direction, Kind
from pipeline.monitoring.alarms.watched import (
    Counts,
    Reference,
    WatchedInput,
    WatchedTask,
    WeekOfCounts,
    WeekOfOutcomes,
)

FIRST = dt.date(2025, 1, 6)
"""Monday of the first week of every year."""

_SEED = 2_000_000
_BINS = 5
_MISSING = 0.05
_NODES, _NODE_WEIGHTS = roots_hermitenorm(201)

_FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Risk:
    """Risk of the outcome by a normal score of a subject.

    Attributes:
        rate: Share of subjects with the outcome.
        auc: AUC of the score.
    """

    rate: float = 0.25
    auc: float = 0.80

    def line(self) -> tuple[float, float]:
        """Intercept and slope of the logit of the risk."""
        # Where scores of both groups are normal and equally spread, this is the slope itself.
        start = np.sqrt(2) * float(ndtri(self.auc))
        slope = float(brentq(lambda slope: _auc(self.rate, slope) - self.auc, 1e-3, 4 * start + 1))
        return _intercept(self.rate, slope), slope


def _share(values: _FloatArray) -> float:
    return float(_NODE_WEIGHTS @ values / _NODE_WEIGHTS.sum())


def _intercept(rate: float, slope: float) -> float:
    return float(brentq(lambda a: _share(expit(a + slope * _NODES)) - rate, -20, 20))


def _auc(rate: float, slope: float) -> float:
    risk = expit(_intercept(rate, slope) + slope * _NODES)
    events, others = _NODE_WEIGHTS * risk, _NODE_WEIGHTS * (1 - risk)
    below = np.cumsum(others) - others / 2
    return float(events @ below / (events.sum() * others.sum()))


@dataclass(frozen=True)
class Year:
    """What happens in simulated years.

    Attributes:
        name: Of the row of the table.
        a_month: Outcomes a month, and subjects predicted.
        reference: Subjects of the training's out-of-fold predictions.
        risk: As the model was trained.
        tasks: Tasks, whose outcomes have nothing in common.
        features: Features that are watched.
        censored: Share of the subjects whose follow-up ends early; the weights of others make up.
        changed: Risk after the change; None without a change of it.
        shift: Added to predictions after the change.
        moved: Standard deviations that the first feature moves by.
        after: Weeks of the year before the change.
        found_by: The alarm and direction that should fire; None where nothing changes.
    """

    name: str
    a_month: float = 500
    reference: int = 1000
    risk: Risk = field(default_factory=Risk)
    tasks: int = 1
    features: int = 10
    censored: float = 0.0
    changed: Risk | None = None
    shift: float = 0.0
    moved: float = 0.0
    after: int = 0
    found_by: tuple[Kind, Direction] | None = None

    @property
    def weeks(self) -> int:
        """Weeks that are simulated.

        Not those after the three months in which a change is to be found: none of them changes an
        earlier look.
        """
        return self.after + WINDOW if self.found_by else YEAR


def draw_year(year: Year, number: int) -> tuple[list[WatchedTask], list[WatchedInput]]:
    """Draws one year.

    Args:
        year: What happens in it.
        number: Of the year among those of its name: the same number is the same year.

    Returns:
        What alarms watch: tasks; features and, with any, the predicted risk of every task.
    """
    rng = np.random.default_rng([_SEED, *year.name.encode(), number])
    tasks = [_task(f"task {k}", year, rng) for k in range(year.tasks)]
    inputs = [_feature(f"feature {k}", year, rng, k == 0) for k in range(year.features)]
    if year.features:
        inputs += [_risks(task, year, rng) for task in tasks]
    return tasks, inputs


def _weekly(year: Year) -> list[int]:
    """Subjects of each week: uneven, the same in every simulated year."""
    pattern = np.random.default_rng(_SEED).poisson(year.a_month * 12 / YEAR, year.weeks)
    return [int(n) for n in pattern]


def _drawn(n: int, year: Year, changed: bool, rng: np.random.Generator) -> tuple[_FloatArray, ...]:
    """Predictions, outcomes and weights of n subjects."""
    intercept, slope = _line(year.risk)
    score = rng.normal(size=n)
    predictions = expit(intercept + slope * score)
    true = predictions
    if changed:
        if year.changed:
            intercept, slope = _line(year.changed)
            true = expit(intercept + slope * score)
        predictions = np.minimum(predictions + year.shift, 1)
    outcomes = (rng.random(n) < true).astype(np.float64)
    weights = np.ones(n)
    if year.censored:
        # Higher scores are lost more often.
        seen = 1 - year.censored * 2 * expit(score)
        weights = np.where(rng.random(n) < seen, 1 / seen, 0.0)
    return predictions, outcomes, weights


_LINES: dict[Risk, tuple[float, float]] = {}


def _line(risk: Risk) -> tuple[float, float]:
    if risk not in _LINES:
        _LINES[risk] = risk.line()
    return _LINES[risk]


def _task(name: str, year: Year, rng: np.random.Generator) -> WatchedTask:
    weeks = []
    for number, n in enumerate(_weekly(year)):
        drawn = _drawn(n, year, number >= year.after, rng)
        weeks.append(WeekOfOutcomes(FIRST + dt.timedelta(weeks=number), *drawn))
    return WatchedTask(name, reference_of(*_drawn(year.reference, year, False, rng)), weeks)


def reference_of(
    predictions: _FloatArray, outcomes: _FloatArray, weights: _FloatArray
) -> Reference:
    """Sums up predictions of the training.

    Args:
        predictions: `[n]`.
        outcomes: 1 or 0, `[n]`.
        weights: Of censoring, `[n]`.
    """
    kept = weights > 0
    predictions, outcomes, weights = predictions[kept], outcomes[kept], weights[kept]
    error, event = predictions - outcomes, outcomes == 1
    mean = float(np.average(error, weights=weights))
    auc, auc_error = _delong(predictions, event, weights)
    return Reference(
        _effective(weights),
        _effective(weights[event]),
        mean,
        float(np.average((error - mean) ** 2, weights=weights**2)),
        auc,
        auc_error,
    )


def _effective(weights: _FloatArray) -> float:
    return float(weights.sum() ** 2 / (weights**2).sum())


def _delong(
    predictions: _FloatArray, event: NDArray[np.bool_], weights: _FloatArray
) -> tuple[float, float]:
    of_events = _below(predictions[~event], weights[~event], predictions[event])
    of_others = 1 - _below(predictions[event], weights[event], predictions[~event])
    auc = float(np.average(of_events, weights=weights[event]))
    variance = sum(
        float(np.average((placed - auc) ** 2, weights=of)) / _effective(of)
        for placed, of in ((of_events, weights[event]), (of_others, weights[~event]))
    )
    return auc, float(np.sqrt(variance))


def _below(values: _FloatArray, weights: _FloatArray, at: _FloatArray) -> _FloatArray:
    """Share of weighted values that lie below others; they are never equal."""
    order = np.argsort(values)
    sums = np.concatenate([[0.0], np.cumsum(weights[order])])
    found: _FloatArray = sums[np.searchsorted(values[order], at)] / sums[-1]
    return found


_EDGES = ndtri(np.arange(1, _BINS) / _BINS)
_NAMES = tuple(str(number + 1) for number in range(_BINS))


def _counts(n: int, moved: float, rng: np.random.Generator) -> Counts:
    missing = int(rng.binomial(n, _MISSING))
    found = np.bincount(np.searchsorted(_EDGES, rng.normal(moved, 1, n - missing)), minlength=_BINS)
    return Counts(dict(zip(_NAMES, found.tolist(), strict=True)), missing)


def _feature(name: str, year: Year, rng: np.random.Generator, moves: bool) -> WatchedInput:
    weeks = [
        WeekOfCounts(
            FIRST + dt.timedelta(weeks=number),
            _counts(n, year.moved if moves and number >= year.after else 0.0, rng),
        )
        for number, n in enumerate(_weekly(year))
    ]
    return WatchedInput(name, "drift", _counts(year.reference, 0.0, rng), weeks, _NAMES)


def _risks(task: WatchedTask, year: Year, rng: np.random.Generator) -> WatchedInput:
    """Predicted risks of a task in the fifths of the training's."""
    training = _drawn(year.reference, year, False, rng)[0]
    edges = np.quantile(training, np.arange(1, _BINS) / _BINS)

    def counted(values: _FloatArray) -> Counts:
        found = np.bincount(np.searchsorted(edges, values), minlength=_BINS)
        return Counts(dict(zip(_NAMES, found.tolist(), strict=True)))

    weeks = [WeekOfCounts(week.week, counted(week.predictions)) for week in task.weeks]
    return WatchedInput(task.task, "risk_drift", counted(training), weeks, _NAMES)
