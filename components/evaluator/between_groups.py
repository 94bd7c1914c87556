"""Summarizes a model's performance over the groups of `internal_external`.

Each group is predicted by a model that never saw it, as in an external validation (Steyerberg &
Harrell, J Clin Epidemiol 2016;69:245-7), and the groups are summarized as studies of a
meta-analysis are: a random-effects model with the between-group variance of Paule & Mandel, the
interval of Hartung & Knapp with `groups - 1` degrees of freedom (IntHout et al., BMC Med Res
Methodol 2014;14:25), never narrower than that of the fixed weights (Röver et al., BMC Med Res
Methodol 2015;15:99), and the prediction interval for a new group with `groups - 2` degrees of
freedom (Riley, Higgins & Deeks, BMJ 2011;342:d549). AUCs are summarized on the scale of the logit
(Snell et al., Stat Methods Med Res 2018;27:3505-22; Debray et al., BMJ 2017;356:i6460).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from components.evaluator.coarse import GroupResolution
from components.evaluator.comparisons import Suppressed
from components.evaluator.intervals import expit
from components.evaluator.jackknife import GROUPS
from components.evaluator.records import Record, number_or_none
from pipeline.results.between_groups import BetweenGroups
from pipeline.results.evaluation_plan import EvaluationPlan

SUMMARIZED = ("auc", "brier", "calibration_in_the_large", "calibration_slope")
_ON_LOGIT = ("auc",)
_ON_UNIT = ("brier",)
"""Pooled as they are; where few groups differ much, an interval would leave 0 to 1."""

_FEWEST_FOR_PREDICTION = 3


@dataclass(frozen=True)
class Pooled:
    """A random-effects summary.

    Attributes:
        mean: Mean over groups.
        lower: Lower bound of its 95 % interval.
        upper: Upper bound.
        new_lower: Lower bound of the 95 % prediction interval; not-a-number if there is none.
        new_upper: Upper bound.
    """

    mean: float
    lower: float
    upper: float
    new_lower: float
    new_upper: float


def summarize_groups(
    records: Iterable[Record],
    hidden: Suppressed,
    plan: EvaluationPlan,
) -> tuple[BetweenGroups, ...]:
    """Summarizes each task's metrics over the groups that were left out in turn.

    Args:
        records: All records.
        hidden: Suppressed groups by task; they are not summarized.
        plan: How the run evaluates; nothing is summarized under other schemes.
    """
    if plan.scheme != "internal_external" or not plan.by:
        return ()
    found: dict[tuple[str, str], list[Record]] = {}
    records = list(records)
    resolution = GroupResolution(records)
    for record in records:
        of_group = tuple(name for name, _ in record.group) == (plan.by,)
        shown = record.group not in hidden.get(record.task, {})
        if of_group and shown and record.model == "challenger" and record.metric in SUMMARIZED:
            found.setdefault((record.task, record.metric), []).append(record)
    summaries = (
        _summarize(task, metric, of, plan, resolution) for (task, metric), of in found.items()
    )
    return tuple(summary for summary in summaries if summary)


def _summarize(
    task: str,
    metric: str,
    records: Sequence[Record],
    plan: EvaluationPlan,
    resolution: GroupResolution,
) -> BetweenGroups | None:
    on_logit = metric in _ON_LOGIT
    usable = [record for record in records if _is_usable(record, on_logit)]
    if not usable:
        return None
    values = [record.value for record in usable]
    # The smallest and the largest are numbers of single groups.
    shown = [resolution.record(record).value for record in usable]
    pooled = None
    if len(usable) > 1:
        effects = [_logit(value) if on_logit else value for value in values]
        errors = [_standard_error(record, on_logit) for record in usable]
        pooled = pool(effects, errors)
    back = expit if on_logit else _between_0_and_1 if metric in _ON_UNIT else _identity
    ends = (
        {}
        if pooled is None
        else {
            "mean": number_or_none(back(pooled.mean)),
            "lower": number_or_none(back(pooled.lower)),
            "upper": number_or_none(back(pooled.upper)),
            "new_lower": number_or_none(back(pooled.new_lower)),
            "new_upper": number_or_none(back(pooled.new_upper)),
        }
    )
    return BetweenGroups(
        task=task,
        metric=metric,
        groups=len(usable),
        left_out=plan.folds - len(usable),
        lowest=min(shown),
        highest=max(shown),
        **ends,
    )


def pool(effects: Sequence[float], errors: Sequence[float]) -> Pooled:
    """Pools estimates of groups by a random-effects model.

    Args:
        effects: One for each group, at least two.
        errors: Their standard errors, above 0.
    """
    import numpy as np
    from scipy import stats
    from statsmodels.stats.meta_analysis import combine_effects

    k = len(effects)
    # Its I² divides by zero where all groups are equal; it is not used.
    with np.errstate(divide="ignore", invalid="ignore"):
        found = combine_effects(
            np.asarray(effects), np.square(errors), method_re="iterated", use_t=True
        )
    mean, between = float(found.mean_effect_re), float(found.tau2)
    error = max(float(found.sd_eff_w_re), float(found.sd_eff_w_re_hksj))
    reach = float(stats.t.ppf(0.975, k - 1)) * error
    new = math.nan
    if k >= _FEWEST_FOR_PREDICTION:
        new = float(stats.t.ppf(0.975, k - 2)) * math.sqrt(between + error**2)
    return Pooled(mean, mean - reach, mean + reach, mean - new, mean + new)


def _is_usable(record: Record, on_logit: bool) -> bool:
    ends = record.value, record.lower, record.upper
    if not all(map(math.isfinite, ends)) or record.lower >= record.upper:
        return False
    return not on_logit or all(0 < end < 1 for end in ends)


def _standard_error(record: Record, on_logit: bool) -> float:
    """That of the jackknife, whose interval has the t distribution of its groups."""
    from scipy import stats

    lower, upper = record.lower, record.upper
    if on_logit:
        lower, upper = _logit(lower), _logit(upper)
    return (upper - lower) / (2 * float(stats.t.ppf(0.975, GROUPS - 1)))


def _logit(p: float) -> float:
    return math.log(p) - math.log1p(-p)


def _identity(x: float) -> float:
    return x


def _between_0_and_1(x: float) -> float:
    # Without a number it stays without one.
    return x if math.isnan(x) else min(max(x, 0.0), 1.0)
