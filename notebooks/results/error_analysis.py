"""Where a model is wrong: log loss by group, beside the loss that its predictions imply."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.estimates import Estimate, normal_interval
from pipeline.results.documents import OVERALL, Group
from pipeline.results.resolution import at_resolution, fewest_counted, rounded_count
from pipeline.results.suppress import empty_of_small, suppressed
from pipeline.weights import error_of_weighted_mean, is_weighted, weighted_mean

PREDICTION = "predicted probability"
MISSING = "columns without a value"

_SMALLEST_PROBABILITY = 1e-7
_MOST_BANDS = 10
_MISSING_BANDS = ((0, "none"), (1, "1 or 2"), (3, "3 to 5"), (6, "6 or more"))

_FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class GroupError:
    """How wrong a task's predictions are in a group.

    Attributes:
        group: The group; empty for all subjects.
        subjects: Subjects of the group whose outcome is known; rounded where it is not known of all
            (`pipeline.results.resolution`).
        observed: Share of them with the outcome, at the resolution of the group then.
        predicted: Mean prediction.
        log_loss: Mean log loss in nats.
        unexpected: Log loss minus its expectation under the predictions; 0 for calibrated
            probabilities.
        share_of_subjects: Of all subjects whose outcome is known, by weight.
        share_of_loss: Of the sum of all their log losses.
    """

    group: Group
    subjects: int
    observed: float
    predicted: float
    log_loss: Estimate
    unexpected: Estimate
    share_of_subjects: float
    share_of_loss: float

    @property
    def excess(self) -> float:
        """How far the group's share of the loss is above its share of the subjects."""
        return self.share_of_loss - self.share_of_subjects


@dataclass(frozen=True)
class TaskErrors:
    """Errors of a task.

    Attributes:
        overall: Errors of all subjects.
        groups: Of the groups that may be shown.
        hidden: How many groups are not shown.
    """

    overall: GroupError
    groups: tuple[GroupError, ...]
    hidden: int


def task_errors(
    predicted: _FloatArray,
    outcome: _FloatArray,
    groupings: Mapping[str, Sequence[str]],
    pairs: Sequence[tuple[str, str]],
    smallest: int,
    also_hidden: Collection[Group] = (),
    weight: _FloatArray | None = None,
    is_coarse: bool = False,
) -> TaskErrors | None:
    """Errors of a task by group.

    A subject's log loss is -ln p of what happened; its expectation under the predictions is
    -p ln p - (1 - p) ln(1 - p). The difference has expectation 0 where the probabilities are
    calibrated (a score in the sense of Spiegelhalter DJ, Statistics in Medicine 1986;5:421-33, with
    the log loss in place of the Brier score).

    Args:
        predicted: Probabilities of subjects whose outcome is known, shape [n].
        outcome: 0 or 1, shape [n].
        groupings: Group of each subject, "" for none, by grouping; each [n].
        pairs: Pairs of groupings whose combinations are groups too.
        smallest: Fewest subjects of a group.
        also_hidden: Groups that the run's own documents suppress.
        weight: Weight of each subject, shape [n]; None where each is 1.
        is_coarse: Whether the task has subjects whose outcome is unknown, so that groups are not
            counted exactly.

    Returns:
        None where there are fewer subjects than that.
    """
    own = np.ones(len(outcome)) if weight is None else weight
    members = _members(groupings, pairs)
    sizes: dict[Group, int] = {OVERALL: len(outcome)}
    sizes |= {group: int(inside.sum()) for group, inside in members.items()}
    slicings = [(), *((name,) for name in groupings), *pairs]
    empty = empty_of_small(sizes, slicings, smallest)
    hidden = suppressed(sizes, slicings, smallest, empty=empty)
    if OVERALL in hidden:
        return None
    p = np.clip(predicted, _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)
    loss = -(outcome * np.log(p) + (1 - outcome) * np.log1p(-p))
    expected = -(p * np.log(p) + (1 - p) * np.log1p(-p))

    def error(group: Group, inside: NDArray[np.bool_]) -> GroupError:
        subjects = int(inside.sum())
        observed = float(outcome[inside].mean())
        share = float(own[inside].sum() / own.sum())
        if is_coarse and group != OVERALL:
            observed = at_resolution(observed, fewest_counted(rounded_count(subjects)))
            share = rounded_count(round(share * len(outcome))) / len(outcome)
            subjects = rounded_count(subjects)
        return GroupError(
            group=group,
            subjects=subjects,
            observed=observed,
            predicted=mean_with_interval(predicted[inside], own[inside]).value or 0.0,
            log_loss=mean_with_interval(loss[inside], own[inside]),
            unexpected=mean_with_interval((loss - expected)[inside], own[inside]),
            share_of_subjects=share,
            share_of_loss=float((own * loss)[inside].sum() / (own * loss).sum()),
        )

    shown = [group for group in members if group not in hidden and group not in also_hidden]
    return TaskErrors(
        overall=error(OVERALL, np.ones(len(outcome), bool)),
        groups=tuple(error(group, members[group]) for group in shown),
        hidden=len(members) - len(shown),
    )


def prediction_bands(predicted: _FloatArray, smallest: int) -> list[str]:
    """Band of each subject's probability: equally many subjects in each, ten at most.

    Edges lie half-way between neighbours, rounded to whole percent: the same probability is
    always in the same band, and no edge is a subject's own.

    Args:
        predicted: Shape [n].
        smallest: Fewest subjects of a group; fewer bands are made where it requires that.

    Returns:
        Names such as `10 to <20 %`; [n].
    """
    bands = max(1, min(_MOST_BANDS, len(predicted) // max(smallest, 1)))
    shares = np.arange(1, bands) / bands
    edges = np.unique(np.round(np.quantile(predicted, shares) * 100)) if len(predicted) else []
    return _banded(predicted * 100, [float(edge) for edge in edges])


def missing_bands(missing: NDArray[np.int64]) -> list[str]:
    """Band of each subject's number of columns without a value; [n]."""
    starts = [start for start, _ in _MISSING_BANDS]
    places = np.searchsorted(starts, missing, side="right") - 1
    return [_MISSING_BANDS[place][1] for place in places]


def _banded(values: _FloatArray, edges: Sequence[float]) -> list[str]:
    names = [
        *(f"<{edge:g} %" for edge in edges[:1]),
        *(f"{low:g} to <{high:g} %" for low, high in itertools.pairwise(edges)),
        *(f">={edge:g} %" for edge in edges[-1:]),
    ] or ["any"]
    return [names[place] for place in np.searchsorted(edges, values, side="right")]


def _members(
    groupings: Mapping[str, Sequence[str]], pairs: Sequence[tuple[str, str]]
) -> dict[Group, NDArray[np.bool_]]:
    members: dict[Group, NDArray[np.bool_]] = {}
    for name, groups in groupings.items():
        column = np.asarray(groups, object)
        for value in dict.fromkeys(groups):
            if value:
                members[((name, value),)] = column == value
    singles = dict(members)
    for first, second in pairs:
        for (one,), inside in singles.items():
            for (other,), within in singles.items():
                if (one[0], other[0]) == (first, second) and (inside & within).any():
                    members[(one, other)] = inside & within
    return members


def mean_with_interval(values: _FloatArray, weight: _FloatArray) -> Estimate:
    """Weighted mean with the 95 % interval of the normal distribution; none of a single value.

    Args:
        values: Shape [n].
        weight: Weight of each, shape [n].
    """
    if is_weighted(weight):
        mean = weighted_mean(values, weight)
        if len(values) < 2:
            return Estimate(mean)
        return normal_interval(mean, error_of_weighted_mean(values, weight))
    mean = float(values.mean())
    if len(values) < 2:
        return Estimate(mean)
    return normal_interval(mean, float(values.std(ddof=1)) / float(np.sqrt(len(values))))
