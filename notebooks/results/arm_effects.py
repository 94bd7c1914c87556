"""Predicted and observed effects of the arms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.trial_analysis.proportions import Observed, rate, risk_difference
from notebooks.results.error_analysis import mean_with_interval
from notebooks.results.served_model import Predict, unmixed
from pipeline.estimates import Estimate
from pipeline.results.documents import OVERALL, Group
from pipeline.results.suppress import suppressed

THIRDS = ("lowest third", "middle third", "highest third")
"""Thirds of subjects by a prediction."""

_FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class ArmRates:
    """An arm among the evaluated subjects.

    Attributes:
        arm: The arm.
        subjects: Its subjects whose outcome is known.
        observed: Weighted share of them with the outcome, with Wilson's interval.
        predicted: Weighted mean prediction, with the interval of a mean.
    """

    arm: str
    subjects: int
    observed: Estimate
    predicted: Estimate


@dataclass(frozen=True)
class ThirdEffect:
    """Arms compared among subjects with similar predictions.

    Attributes:
        third: Which third of the subjects.
        subjects: Subjects of both arms whose outcome is known.
        predicted: Mean of the predicted differences.
        observed: Observed difference of the rates, with Newcombe's interval.
    """

    third: str
    subjects: int
    predicted: float
    observed: Estimate


def arm_rates(
    predicted: _FloatArray,
    outcome: _FloatArray,
    arm: Sequence[str],
    smallest: int,
    weight: _FloatArray | None = None,
) -> list[ArmRates]:
    """Predicted and observed rates of the arms that may be shown.

    Args:
        predicted: Probabilities of subjects whose outcome is known, shape [n].
        outcome: 0 or 1, shape [n].
        arm: Arm of each, "" where unknown; [n].
        smallest: Fewest subjects of a group.
        weight: Weight of each, shape [n]; None where each is 1.
    """
    own = np.ones(len(outcome)) if weight is None else weight
    members = {name: np.asarray(arm) == name for name in _arms_shown(arm, smallest)}
    return [
        ArmRates(
            name,
            int(inside.sum()),
            rate(_observed(outcome[inside], own[inside])),
            mean_with_interval(predicted[inside], own[inside]),
        )
        for name, inside in members.items()
    ]


def predicted_effects(
    predict: Predict, subjects: int, sources: int, arm_place: int, arm: Sequence[str], control: str
) -> dict[str, _FloatArray]:
    """Predicted difference of each arm from the control, by subject.

    Each subject is predicted in each arm, with all other values unchanged. The difference is not a
    causal effect: values measured after the start of treatment are those of the assigned arm, and a
    model trained to predict outcomes need not have learnt effects.

    Args:
        predict: The model.
        subjects: How many subjects there are.
        sources: Number of sources.
        arm_place: Place of the arm among the sources.
        arm: Arm of each subject; [n].
        control: The arm that others are compared with.

    Returns:
        Difference to the control by arm, shape [n, tasks].
    """
    names = np.asarray(arm)

    def given(name: str) -> _FloatArray:
        origin = unmixed(subjects, sources)
        origin[:, arm_place] = int(np.flatnonzero(names == name)[0])
        return predict(origin)

    if control not in arm:
        return {}
    without = given(control)
    others = sorted({name for name in arm if name} - {control})
    return {name: given(name) - without for name in others}


def effects_by_third(
    effect: _FloatArray,
    outcome: _FloatArray,
    arm: Sequence[str],
    compared: tuple[str, str],
    smallest: int,
    weight: _FloatArray | None = None,
) -> list[ThirdEffect]:
    """Observed differences among subjects for whom the model predicts similar differences.

    If predicted differences are meaningful, observed ones rise with them (risk- and effect-based
    subgroups: Kent DM et al., The Predictive Approaches to Treatment effect Heterogeneity (PATH)
    statement: explanation and elaboration, Ann Intern Med 2020;172:W1-W25).

    Args:
        effect: Predicted difference of subjects whose outcome is known, shape [n].
        outcome: 0 or 1, shape [n].
        arm: Arm of each; [n].
        compared: The arm and its control.
        smallest: Fewest subjects of a third in each of the two arms.
        weight: Weight of each, shape [n]; None where each is 1.

    Returns:
        All three thirds; empty if one of them is too small, the predictions do not differ, or an
        arm is suppressed.
    """
    # Both arms' sizes follow from the thirds: an arm that is suppressed elsewhere is suppressed
    # here.
    if not set(compared) <= set(_arms_shown(arm, smallest)):
        return []
    own = np.ones(len(outcome)) if weight is None else weight
    names = np.asarray(arm)
    inside = np.isin(names, compared)
    ordered = np.sort(effect[inside])
    if len(ordered) < len(THIRDS):
        return []
    edges = ordered[[len(ordered) // 3, 2 * len(ordered) // 3]]
    third = np.searchsorted(edges, effect, side="right")
    found: list[ThirdEffect] = []
    for place, name in enumerate(THIRDS):
        groups = [inside & (third == place) & (names == side) for side in compared]
        if min(int(group.sum()) for group in groups) < smallest:
            return []
        sides = [_observed(outcome[group], own[group]) for group in groups]
        of_third = inside & (third == place)
        found.append(
            ThirdEffect(
                third=name,
                subjects=sum(side.subjects for side in sides),
                predicted=mean_with_interval(effect[of_third], own[of_third]).value or 0.0,
                observed=risk_difference(*sides),
            )
        )
    return found


def _arms_shown(arm: Sequence[str], smallest: int) -> list[str]:
    names = sorted(set(arm) - {""})
    sizes: dict[Group, int] = {OVERALL: len(arm)}
    sizes |= {(("arm", name),): list(arm).count(name) for name in names}
    hidden = suppressed(sizes, [(), ("arm",)], smallest)
    return [name for name in names if OVERALL not in hidden and (("arm", name),) not in hidden]


def _observed(outcome: _FloatArray, weight: _FloatArray) -> Observed:
    return Observed.of(outcome > 0, weight)
