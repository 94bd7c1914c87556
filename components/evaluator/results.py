"""Converts TFMA's result into records and into the documents that may be shown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from tensorflow_model_analysis.proto import metrics_for_slice_pb2

from components.evaluator.eval_config import (
    EFFECTIVE_NEGATIVES,
    EFFECTIVE_POSITIVES,
    MEMBERS,
    POSITIVES,
    SUBJECTS,
    MetricName,
)
from components.evaluator.intervals import (
    RANKING,
    enough_events,
    information_of,
    of_mean,
    of_ranking,
)
from components.evaluator.prediction_table import CHAMPION_OF_NEW
from components.evaluator.records import Record
from components.evaluator.settings import EvaluatorSettings
from pipeline import names
from pipeline.estimates import exact_interval_at_edge
from pipeline.metrics import METRICS
from pipeline.names import CHALLENGER, CHAMPION
from pipeline.results.documents import (
    Group,
    ModelRole,
)
from pipeline.results.evaluation_plan import SPLIT_PLAN, EvaluationPlan

_EFFECTIVE = EFFECTIVE_POSITIVES, EFFECTIVE_NEGATIVES


def read_records(
    result: Iterable[metrics_for_slice_pb2.MetricsForSlice],
    settings: EvaluatorSettings,
    plan: EvaluationPlan = SPLIT_PLAN,
) -> list[Record]:
    """Reads the records of all groups, including those that must be suppressed.

    Bounds outside a metric's range (a probability above 1) are clipped: the jackknife's t interval
    ignores the range. If a share is 0 or 1 the exact binomial interval replaces the jackknife's,
    which has no width there; other metrics at the limit of their range (an AUC of 1) have no
    interval. With too few subjects with or without the outcome the jackknife's intervals are too
    narrow, and there are none; see `enough_events`. Where subjects are weighted, their effective
    number decides, and gives exact intervals their width.

    Args:
        result: TFMA's metrics.
        settings: Settings of the evaluation; they give the order of tasks and slicings.
        plan: How the run evaluates; out of fold the intervals allow for the models' training.

    Returns:
        One record for each task, group, metric, decision threshold and model.
    """
    order = {slicing: place for place, slicing in enumerate(settings.expanded_slicings)}
    tasks = list(settings.tasks)
    parts = list(result)
    groups = [record for record in _all_records(parts, plan) if not _is_of_new(record)]
    return sorted(
        groups,
        key=lambda r: (tasks.index(r.task), order[tuple(name for name, _ in r.group)], r.group),
    )


def records_of_new(
    result: Iterable[metrics_for_slice_pb2.MetricsForSlice], plan: EvaluationPlan
) -> list[Record]:
    """Records of all subjects who are new since the champion's run, out of fold.

    Args:
        result: TFMA's metrics.
        plan: How the run evaluates.

    Returns:
        The champion's metrics, and the differences to them.
    """
    overall = [part for part in result if not group_of(part)]
    found = (record for record in _all_records(overall, plan) if _is_of_new(record))
    return [
        replace(r, model=CHAMPION if r.model == CHAMPION_OF_NEW else r.model, versus=None)
        for r in found
    ]


def _all_records(
    parts: Sequence[metrics_for_slice_pb2.MetricsForSlice], plan: EvaluationPlan
) -> Iterator[Record]:
    of_all = {key: found for part in parts if not group_of(part) for key, found in _informed(part)}
    for part in parts:
        yield from _records_of(part, plan, of_all)


def _is_of_new(record: Record) -> bool:
    return CHAMPION_OF_NEW in (record.model, record.versus)


def _records_of(
    part: metrics_for_slice_pb2.MetricsForSlice,
    plan: EvaluationPlan,
    of_all: Mapping[tuple[str, str | None], float],
) -> Iterator[Record]:
    group = group_of(part)
    information = dict(_informed(part))
    values = {
        (item.key.output_name, item.key.name): item.value.double_value.value
        for item in part.metric_keys_and_values
    }
    members = {task: int(count) for (task, metric), count in values.items() if metric == MEMBERS}
    for item in part.metric_keys_and_values:
        name = MetricName.parse(item.key.name)
        if name.metric not in METRICS:
            continue
        task = item.key.output_name
        role = role_of(name)
        value = item.value.double_value.value
        compared = _counted_for(name)
        subjects = int(values[task, MetricName(SUBJECTS, reference=compared).text])
        positives = int(values[task, MetricName(POSITIVES, reference=compared).text])
        effective = _effective(values, task, compared)
        lower, upper = _interval(item)
        if plan.out_of_fold and name.metric in RANKING:
            lower, upper = of_ranking(
                lower,
                upper,
                plan.folds,
                information[task, compared],
                of_all.get((task, compared), information[task, compared]),
                is_difference=role == "difference",
            )
        elif plan.out_of_fold:
            lower, upper = of_mean(lower, upper, plan.folds)
        is_reference = name.reference is not None and compared is None
        if not is_reference and role != "difference" and _is_edge(value, lower, upper):
            lower, upper = exact_interval_at_edge(value, _trials(name, task, values, effective))
        elif not enough_events(name.metric, *effective):
            lower, upper = math.nan, math.nan
        low, high = METRICS[name.metric].bounds(role == "difference")
        yield Record(
            task=task,
            group=group,
            metric=name.metric,
            decision_threshold=name.decision_threshold,
            model=role,
            versus=name.reference if name.is_difference and name.reference != CHAMPION else None,
            value=value,
            lower=_clipped(lower, low, high),
            upper=_clipped(upper, low, high),
            subjects=subjects,
            positives=positives,
            unknown=members[task] - subjects,
        )


def role_of(name: MetricName) -> ModelRole:
    """The model that a metric is of."""
    if name.reference is None:
        return CHALLENGER
    return "difference" if name.is_difference else name.reference


def _counted_for(name: MetricName) -> str | None:
    """Model whose compared subjects a metric is of; None where it is of all subjects."""
    return name.reference if name.reference in (CHAMPION, CHAMPION_OF_NEW) else None


def _is_edge(value: float, lower: float, upper: float) -> bool:
    return lower == upper == value and value in (0.0, 1.0)


def group_of(part: metrics_for_slice_pb2.MetricsForSlice) -> Group:
    """The group of a part of TFMA's result."""
    return tuple(
        (key.column.removeprefix(names.slice_key("")), key.bytes_value.decode())
        for key in part.slice_key.single_slice_keys
    )


def _effective(
    values: Mapping[tuple[str, str], float], task: str, compared: str | None
) -> tuple[float, float]:
    """Effective number of the subjects with and of those without the outcome."""
    with_outcome, without_it = (
        values[task, MetricName(count, reference=compared).text]
        for count in (EFFECTIVE_POSITIVES, EFFECTIVE_NEGATIVES)
    )
    return with_outcome, without_it


def _trials(
    name: MetricName,
    task: str,
    values: Mapping[tuple[str, str], float],
    effective: tuple[float, float],
) -> float:
    """Effective denominator of a share; not a number for metrics that are no share."""

    def value(metric: str, at: float | None) -> float:
        return values[task, MetricName(metric, at, name.reference).text]

    positives, negatives = effective
    subjects = positives + negatives
    trials = METRICS[name.metric].trials
    if trials in ("predicted_positives", "predicted_negatives"):
        at = name.decision_threshold
        sensitivity = value("sensitivity", at)
        false_positives = value("false_positive_rate", at)
        predicted = sensitivity * positives + false_positives * negatives
        return predicted if trials == "predicted_positives" else subjects - predicted
    if trials is None:
        return math.nan
    return {"subjects": subjects, "positives": positives, "negatives": negatives}[trials]


def _interval(item: metrics_for_slice_pb2.MetricKeyAndValue) -> tuple[float, float]:
    if not item.HasField("confidence_interval"):
        return math.nan, math.nan
    interval = item.confidence_interval
    return interval.lower_bound.double_value.value, interval.upper_bound.double_value.value


def _informed(
    part: metrics_for_slice_pb2.MetricsForSlice,
) -> Iterator[tuple[tuple[str, str | None], float]]:
    """Information about each task's outcome in a group, by the model that it is compared with.

    See `intervals.information_of`.
    """
    counts = {
        (item.key.output_name, name.reference, name.metric): item.value.double_value.value
        for item in part.metric_keys_and_values
        if (name := MetricName.parse(item.key.name)).metric in _EFFECTIVE
    }
    for task, model, count in counts:
        if count == EFFECTIVE_POSITIVES:
            positives, negatives = (counts[task, model, metric] for metric in _EFFECTIVE)
            yield (task, model), information_of(positives + negatives, positives)


def _clipped(value: float, low: float, high: float) -> float:
    return value if math.isnan(value) else min(max(value, low), high)
