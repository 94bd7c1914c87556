"""Converts TFMA's result into records and into the documents that may be shown."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from tensorflow_model_analysis import constants
from tensorflow_model_analysis.proto import metrics_for_slice_pb2

from components.evaluator.between_groups import summarize_groups
from components.evaluator.comparisons import Suppressed
from components.evaluator.eval_config import CURVES, POSITIVES, SUBJECTS, MetricName
from components.evaluator.intervals import (
    RANKING,
    enough_events,
    information_of,
    of_mean,
    of_ranking,
)
from components.evaluator.records import Record
from components.evaluator.settings import EvaluatorSettings
from pipeline import names
from pipeline.estimates import exact_interval_at_edge
from pipeline.metrics import METRICS
from pipeline.results.documents import (
    OVERALL,
    Curves,
    Group,
    GroupCurves,
    Metrics,
    ModelRole,
    SuppressedGroup,
)
from pipeline.results.evaluation_plan import SPLIT_PLAN, EvaluationPlan
from pipeline.results.reference_models import ReferenceFit
from pipeline.results.suppress import suppressed


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
    narrow, and there are none; see `enough_events`.

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
    of_all = {task: found for part in parts if not _group(part) for task, found in _informed(part)}
    groups = [record for part in parts for record in _records_of(part, plan, of_all)]
    return sorted(
        groups,
        key=lambda r: (tasks.index(r.task), order[tuple(name for name, _ in r.group)], r.group),
    )


def suppressed_groups(records: Iterable[Record], settings: EvaluatorSettings) -> Suppressed:
    """Decides for each task which groups are not shown; see `suppress.suppressed`."""
    sizes: dict[str, dict[Group, int]] = {task: {OVERALL: 0} for task in settings.tasks}
    for record in records:
        sizes[record.task][record.group] = record.subjects
    return {
        task: suppressed(found, settings.expanded_slicings, settings.smallest_group)
        for task, found in sizes.items()
    }


def shown_metrics(
    records: Iterable[Record],
    hidden: Suppressed,
    settings: EvaluatorSettings,
    plan: EvaluationPlan = SPLIT_PLAN,
    references: Mapping[str, ReferenceFit] = MappingProxyType({}),
) -> Metrics:
    """Makes `metrics.json`.

    Args:
        records: All records.
        hidden: Suppressed groups by task.
        settings: What was evaluated.
        plan: How the run evaluates.
        references: What each reference model was fitted on.

    Returns:
        `records` of the groups shown; `suppressed` groups with the reason and, if they are too
        small, the number of subjects as "<N"; `smallest_group`.
    """
    records = list(records)
    between = summarize_groups(records, hidden, plan)
    optional: dict[str, Any] = {"between_groups": between} if between else {}
    if references:
        optional["reference_models"] = dict(references)
    return Metrics(
        smallest_group=settings.smallest_group,
        records=tuple(
            record.shown() for record in records if record.group not in hidden[record.task]
        ),
        suppressed=tuple(
            SuppressedGroup(
                task=task,
                slice=dict(group),
                reason=reason,
                subjects=f"<{settings.smallest_group}" if reason == "too_small" else None,
            )
            for task, groups in hidden.items()
            for group, reason in groups.items()
        ),
        evaluation=plan,
        **optional,
    )


def shown_curves(
    result: Iterable[metrics_for_slice_pb2.MetricsForSlice],
    records: Iterable[Record],
    hidden: Suppressed,
    settings: EvaluatorSettings,
) -> Curves:
    """Makes `curves.json`; see `components.evaluator.curves`.

    Args:
        result: TFMA's metrics.
        records: All records; they give the order of the curves.
        hidden: Suppressed groups by task.
        settings: What was evaluated.
    """
    found = {
        (item.key.output_name, _group(part), _role(item.key)): json.loads(item.value.bytes_value)
        for part in result
        for item in part.metric_keys_and_values
        if item.key.name == CURVES
    }
    sizes = {
        (record.task, record.group, record.model): (record.subjects, record.positives)
        for record in records
        if record.group not in hidden[record.task]
    }
    return Curves(
        smallest_group=settings.smallest_group,
        curves=tuple(
            GroupCurves(
                task=task,
                slice=dict(group),
                model=model,
                subjects=subjects,
                positives=positives,
                **found[task, group, model],
            )
            for (task, group, model), (subjects, positives) in sizes.items()
            if (task, group, model) in found
        ),
    )


def _records_of(
    part: metrics_for_slice_pb2.MetricsForSlice,
    plan: EvaluationPlan,
    of_all: Mapping[str, float],
) -> Iterator[Record]:
    group = _group(part)
    information = dict(_informed(part))
    values = {
        (item.key.output_name, _role(item.key), item.key.name): item.value.double_value.value
        for item in part.metric_keys_and_values
    }
    for item in part.metric_keys_and_values:
        name = MetricName.parse(item.key.name)
        if name.metric in (SUBJECTS, POSITIVES, CURVES) or (name.reference and item.key.is_diff):
            continue
        task = item.key.output_name
        role = _role(item.key) if name.reference is None else _role_of_reference(name)
        value = item.value.double_value.value
        subjects = int(values[task, "challenger", SUBJECTS])
        positives = int(values[task, "challenger", POSITIVES])
        lower, upper = _interval(item)
        if plan.out_of_fold and name.metric in RANKING:
            lower, upper = of_ranking(
                lower,
                upper,
                plan.folds,
                information[task],
                of_all.get(task, information[task]),
                is_difference=role == "difference",
            )
        elif plan.out_of_fold:
            lower, upper = of_mean(lower, upper, plan.folds)
        if name.reference is None and role != "difference" and _is_edge(value, lower, upper):
            lower, upper = exact_interval_at_edge(value, _trials(name, task, role, values))
        elif not enough_events(name.metric, positives, subjects - positives):
            lower, upper = math.nan, math.nan
        low, high = METRICS[name.metric].bounds(role == "difference")
        yield Record(
            task=task,
            group=group,
            metric=name.metric,
            decision_threshold=name.decision_threshold,
            model=role,
            versus=name.reference if name.is_difference else None,
            value=value,
            lower=_clipped(lower, low, high),
            upper=_clipped(upper, low, high),
            subjects=subjects,
            positives=positives,
        )


def _role_of_reference(name: MetricName) -> ModelRole:
    return "difference" if name.is_difference else str(name.reference)


def _is_edge(value: float, lower: float, upper: float) -> bool:
    return lower == upper == value and value in (0.0, 1.0)


def _group(part: metrics_for_slice_pb2.MetricsForSlice) -> Group:
    return tuple(
        (key.column.removeprefix(names.slice_key("")), key.bytes_value.decode())
        for key in part.slice_key.single_slice_keys
    )


def _trials(
    name: MetricName, task: str, role: ModelRole, values: Mapping[tuple[str, ModelRole, str], float]
) -> float:
    """Denominator of a share; not a number for metrics that are no share."""
    subjects = values[task, "challenger", SUBJECTS]
    positives = values[task, "challenger", POSITIVES]
    negatives = subjects - positives
    trials = METRICS[name.metric].trials
    if trials in ("predicted_positives", "predicted_negatives"):
        at = name.decision_threshold
        sensitivity = values[task, role, MetricName("sensitivity", at).text]
        false_positives = values[task, role, MetricName("false_positive_rate", at).text]
        predicted = sensitivity * positives + false_positives * negatives
        return predicted if trials == "predicted_positives" else subjects - predicted
    if trials is None:
        return math.nan
    return {"subjects": subjects, "positives": positives, "negatives": negatives}[trials]


def _role(key: metrics_for_slice_pb2.MetricKey) -> ModelRole:
    if key.is_diff:
        return "difference"
    return "champion" if key.model_name == constants.BASELINE_KEY else "challenger"


def _interval(item: metrics_for_slice_pb2.MetricKeyAndValue) -> tuple[float, float]:
    if not item.HasField("confidence_interval"):
        return math.nan, math.nan
    interval = item.confidence_interval
    return interval.lower_bound.double_value.value, interval.upper_bound.double_value.value


def _informed(part: metrics_for_slice_pb2.MetricsForSlice) -> Iterator[tuple[str, float]]:
    """Information about each task's outcome in a group; see `intervals.information_of`."""
    counts = {
        (item.key.output_name, item.key.name): item.value.double_value.value
        for item in part.metric_keys_and_values
        if item.key.name in (SUBJECTS, POSITIVES) and _role(item.key) == "challenger"
    }
    for task, name in counts:
        if name == SUBJECTS:
            yield task, information_of(counts[task, SUBJECTS], counts[task, POSITIVES])


def _clipped(value: float, low: float, high: float) -> float:
    return value if math.isnan(value) else min(max(value, low), high)
