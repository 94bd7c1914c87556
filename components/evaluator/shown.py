"""The documents of an evaluation: what may be shown of its records and curves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from tensorflow_model_analysis.proto import metrics_for_slice_pb2

from components.evaluator.between_groups import summarize_groups
from components.evaluator.coarse import GroupResolution
from components.evaluator.comparisons import Suppressed
from components.evaluator.eval_config import CURVES, MetricName
from components.evaluator.named_groups import NamedGroups, is_merged
from components.evaluator.records import Record
from components.evaluator.results import group_of, role_of
from components.evaluator.settings import EvaluatorSettings
from pipeline.names import CHAMPION
from pipeline.results.documents import (
    OVERALL,
    Curves,
    Group,
    GroupCurves,
    Metrics,
    SuppressedGroup,
)
from pipeline.results.evaluation_plan import SPLIT_PLAN, EvaluationPlan
from pipeline.results.reference_models import ReferenceFit
from pipeline.results.suppress import SuppressionReason, empty_of_small, suppressed
from pipeline.results.tuning import Tuning


def suppressed_groups(records: Iterable[Record], settings: EvaluatorSettings) -> Suppressed:
    """Decides for each task which groups are not shown; see `suppress.suppressed`.

    Groups are shown with all their subjects, and so their sizes are the same for every task. Where
    labels are unknown a group is shown if it had enough known ones whichever subjects these few
    are: that a group is shown for one task only must not say that it has an unknown label.
    """
    records = [record for record in records if not record.is_of_champion]
    unknown = {r.task: r.unknown for r in records if r.group == OVERALL}
    smallest, slicings = settings.smallest_group, settings.expanded_slicings
    sizes: dict[str, dict[Group, int]] = {task: {OVERALL: 0} for task in settings.tasks}
    few: dict[str, set[Group]] = {task: set() for task in settings.tasks}
    for record in records:
        size = record.subjects + record.unknown
        sizes[record.task][record.group] = size
        margin = min(unknown.get(record.task, 0), smallest - 1) if record.group else 0
        if min(record.subjects, size - margin) < smallest:
            few[record.task].add(record.group)
    return {
        task: suppressed(
            found,
            slicings,
            smallest,
            few=few[task],
            empty=empty_of_small(found, slicings, smallest),
        )
        for task, found in sizes.items()
    }


def suppressed_comparisons(
    records: Sequence[Record], hidden: Suppressed, settings: EvaluatorSettings
) -> Suppressed:
    """Decides in which groups no comparison with the champion is shown.

    Champion and challenger may be compared on a part of the subjects alone. Neither that part nor
    the rest of a group, which follows from the challenger's numbers, may be small.

    Args:
        records: All records.
        hidden: Groups of which nothing is shown, by task.
        settings: Settings of the evaluation.
    """
    sizes: dict[str, dict[Group, int]] = {task: {OVERALL: 0} for task in settings.tasks}
    whole: dict[tuple[str, Group], int] = {}
    for record in records:
        if record.model == CHAMPION:
            sizes[record.task][record.group] = record.subjects
        elif not record.is_of_champion:
            whole[record.task, record.group] = record.subjects
    found: dict[str, dict[Group, SuppressionReason]] = {}
    for task, groups in sizes.items():
        smallest = settings.smallest_group
        found[task] = suppressed(groups, settings.expanded_slicings, smallest)
        for group, subjects in groups.items():
            if 0 < whole.get((task, group), 0) - subjects < smallest:
                found[task].setdefault(group, "complementary")
        found[task] |= hidden[task]
    return found


def shown_metrics(
    records: Iterable[Record],
    hidden: Suppressed,
    compared: Suppressed,
    settings: EvaluatorSettings,
    plan: EvaluationPlan = SPLIT_PLAN,
    references: Mapping[str, ReferenceFit] = MappingProxyType({}),
    tuning: Tuning | None = None,
) -> Metrics:
    """Makes `metrics.json`.

    Args:
        records: All records.
        hidden: Suppressed groups by task.
        compared: Groups in which no comparison with the champion is shown.
        settings: What was evaluated.
        plan: How the run evaluates.
        references: What each reference model was fitted on.
        tuning: What the procedures chose, where hyperparameters were tuned out of fold.

    Returns:
        `records` of the groups shown; all others, empty ones included, as `suppressed` with the
        reason and, if they are too small, the number of subjects as "<N"; `smallest_group`.
    """
    records = list(records)
    groups = GroupResolution(records)
    between = summarize_groups(records, hidden, plan)
    optional: dict[str, Any] = {"between_groups": between} if between else {}
    if references:
        optional["reference_models"] = dict(references)
    if tuning:
        optional["tuning"] = tuning
    return Metrics(
        smallest_group=settings.smallest_group,
        records=tuple(
            groups.record(record).shown()
            for record in records
            if _is_shown(record, hidden, compared)
        ),
        suppressed=tuple(_suppressed(records, hidden, settings)),
        evaluation=plan,
        **optional,
    )


def _suppressed(
    records: Sequence[Record], hidden: Suppressed, settings: EvaluatorSettings
) -> Iterator[SuppressedGroup]:
    smallest = settings.smallest_group
    names = NamedGroups(records, settings.expanded_slicings, smallest)
    for task, groups in hidden.items():
        sizes = {
            record.group: record.subjects + record.unknown
            for record in records
            if record.task == task and not record.is_of_champion
        }
        for group, reason in names.not_shown(groups, sizes.keys() - groups.keys()):
            is_small = sizes.get(group, 0) < smallest and not is_merged(group)
            is_limited = reason == "too_small" and is_small
            yield SuppressedGroup(
                task=task,
                slice=dict(group),
                reason=reason,
                subjects=f"<{smallest}" if is_limited else None,
            )


def shown_curves(
    result: Iterable[metrics_for_slice_pb2.MetricsForSlice],
    records: Iterable[Record],
    hidden: Suppressed,
    compared: Suppressed,
    settings: EvaluatorSettings,
) -> Curves:
    """Makes `curves.json`; see `components.evaluator.curves`.

    Args:
        result: TFMA's metrics.
        records: All records; they give the order of the curves.
        hidden: Suppressed groups by task.
        compared: Groups in which no comparison with the champion is shown.
        settings: What was evaluated.
    """
    found = {
        (item.key.output_name, group_of(part), role_of(name)): json.loads(item.value.bytes_value)
        for part in result
        for item in part.metric_keys_and_values
        if (name := MetricName.parse(item.key.name)).metric == CURVES
    }
    records = list(records)
    groups = GroupResolution(records)
    of_group = {
        (record.task, record.group, record.model): record
        for record in records
        if _is_shown(record, hidden, compared)
    }
    return Curves(
        smallest_group=settings.smallest_group,
        curves=tuple(
            GroupCurves(
                task=record.task,
                slice=dict(record.group),
                model=record.model,
                subjects=groups.record(record).subjects,
                positives=groups.record(record).positives,
                **groups.curves(record, found[key]),
            )
            for key, record in of_group.items()
            if key in found
        ),
    )


def _is_shown(record: Record, hidden: Suppressed, compared: Suppressed) -> bool:
    return record.group not in (compared if record.is_of_champion else hidden)[record.task]
