"""One task: its curves, decisions and groups."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.html import charts
from pipeline.html.blocks import Block, Column, Details, Figure, Grid, Paragraph, Table
from pipeline.html.numbers import number
from pipeline.html.page import Section
from pipeline.metrics import METRICS
from pipeline.pages.counted_groups import COUNTS_DIFFER
from pipeline.pages.evaluation import wording
from pipeline.pages.evaluation.clinical_figures import (
    calibration_figure,
    decision_figure,
    stability_figure,
)
from pipeline.pages.evaluation.run_result import RunResult
from pipeline.pages.evaluation.uncertainty_section import uncertainty_section
from pipeline.pages.importance import importance_blocks
from pipeline.pages.metrics import metric_column
from pipeline.results.documents import OVERALL, Group, GroupCurves, ModelRole
from pipeline.results.evaluation_plan import PlannedScheme
from pipeline.results.scheme_words import no_stability_sentence

_MODELS: tuple[ModelRole, ...] = ("challenger", "champion")
_AT_DECISION = ("sensitivity", "specificity", "positive_predictive_value")
_WEIGHTED = (
    "Follow-up of some subjects ended early: the others are weighted by the inverse probability of "
    "being observed. Shares are weighted, the four numbers are counts of subjects, so that shares "
    "do not follow from them."
)
_POOLED: dict[PlannedScheme, str] = {
    "cross_fit": " The curve pools the folds of one repeat; the AUC is counted within folds, so "
    "that the two may differ a little.",
    "internal_external": " The curve pools the groups; the AUC is counted within groups, so that "
    "the two may differ.",
}
"""Why the curve is not exactly that of the AUC beside it."""
_OF_GROUPS = ("auc", "observed_rate", "mean_prediction", "calibration_in_the_large")

_COARSE = (
    "In groups all subjects are counted, with a known outcome or without, those with the outcome "
    "to the nearest five, and shares are no finer than one subject: otherwise it would follow "
    "whose outcome is unknown. Verdicts are decided by the exact numbers."
)


def task_section(result: RunResult, task: str) -> Section:
    """Curves, decisions and groups of a task."""
    title = result.settings.tasks[task].title
    if result.record(task, "auc") is None:
        fewest = result.metrics.smallest_group
        out_of_fold = result.metrics.evaluation.out_of_fold
        whose = "subjects" if out_of_fold else "subjects of the test split"
        nothing = f"Fewer than {fewest} {whose} have a known outcome."
        return Section(title, (Paragraph(nothing),))
    why_not = no_stability_sentence(result.metrics.evaluation)
    unshown = [Paragraph(why_not)] if why_not else []
    parts = [
        Section("All subjects", (_curves(result, task), *unshown, _decisions(result, task))),
    ]
    used = importance_blocks(
        result.importance,
        task,
        result.metrics.smallest_group,
        result.metrics.evaluation,
        result.settings.features,
    )
    if used:
        parts.append(Section("What the model uses", used))
    groups = result.groups(task)
    if groups:
        parts.append(Section("By group", _groups(result, task, groups)))
    parts.append(uncertainty_section(result, task))
    return Section(title, sections=parts)


def _curves(result: RunResult, task: str) -> Grid:
    found = [(model, result.curves_of(task, model)) for model in _MODELS]
    present = [(model, curves) for model, curves in found if curves is not None]
    figures: list[Figure] = []
    calibrated = [(model, curves) for model, curves in present if curves.calibration]
    if calibrated:
        figures.append(calibration_figure(calibrated))
    ranked = [(model, curves) for model, curves in present if curves.roc]
    if ranked:
        figures.append(_roc(result, task, ranked))
    decided = [(model, curves) for model, curves in present if curves.decision]
    if decided:
        figures.append(decision_figure(decided))
    own = result.curves_of(task, "challenger")
    if own and own.stability:
        figures.append(stability_figure(own.stability))
    return Grid(figures)


def _roc(result: RunResult, task: str, found: Sequence[tuple[ModelRole, GroupCurves]]) -> Figure:
    curves = [
        charts.Curve(
            f"{model}, AUC {number(result.estimate(task, 'auc', model=model).value)}",
            [point.false_positive_rate for point in of_model.roc],
            [point.true_positive_rate for point in of_model.roc],
        )
        for model, of_model in found
    ]
    caption = (
        "ROC curve: for each threshold, the share of subjects with the outcome that are flagged "
        "against the share of the others that are flagged. The dotted line is random guessing."
    )
    caption += _POOLED.get(result.metrics.evaluation.scheme, "")
    return charts.roc_curve(curves, caption)


def _decisions(result: RunResult, task: str) -> Table:
    of_task = result.curves_of(task, "challenger")
    confusion = {item.decision_threshold: item for item in of_task.confusion} if of_task else {}
    rows = []
    for threshold in result.decision_thresholds(task):
        counted = confusion.get(threshold)
        rows.append(
            (
                f"{threshold:g}",
                *(
                    result.estimate(task, metric, decision_threshold=threshold)
                    for metric in _AT_DECISION
                ),
                *(
                    (
                        counted.true_positives,
                        counted.false_positives,
                        counted.false_negatives,
                        counted.true_negatives,
                    )
                    if counted
                    else (None, None, None, None)
                ),
            )
        )
    return Table(
        "If a prediction from a threshold on counts as the outcome",
        (
            Column("Threshold"),
            *(Column(METRICS[m].title, "end", 1, percent=True) for m in _AT_DECISION),
            Column("True positives", "end"),
            Column("False positives", "end"),
            Column("False negatives", "end"),
            Column("True negatives", "end"),
        ),
        rows,
        [
            *(f"{METRICS[metric].title}: {METRICS[metric].says}" for metric in _AT_DECISION),
            *([_WEIGHTED] if of_task and of_task.weighted else ()),
        ],
    )


def _groups(result: RunResult, task: str, groups: Sequence[Group]) -> list[Block]:
    blocks: list[Block] = [
        _forest(
            result,
            task,
            groups,
            "auc",
            "AUC by group. The grey line is the AUC of all subjects; a group's AUC also depends on "
            "how similar its subjects are.",
        ),
        _forest(
            result,
            task,
            groups,
            "calibration_in_the_large",
            "Calibration by group: right of the line the model predicts too many outcomes for "
            "the group, left of it too few.",
        ),
        Details("These groups in numbers", (_group_table(result, task, groups),)),
    ]
    not_shown = wording.not_shown_sentence(result, task)
    return [*blocks, Paragraph(not_shown)] if not_shown else blocks


def _forest(
    result: RunResult, task: str, groups: Sequence[Group], metric: str, caption: str
) -> Figure:
    rows: list[charts.ForestRow | str] = [_row(result, task, metric, OVERALL)]
    slicing = ""
    for group in groups:
        if wording.slicing_text(group) != slicing:
            slicing = wording.slicing_text(group)
            rows.append(slicing)
        rows.append(_row(result, task, metric, group))
    if result.has_unknown_labels(task):
        caption = f"{caption} {COUNTS_DIFFER}"
    term = METRICS[metric]
    overall = result.estimate(task, metric).value
    return charts.forest_plot(
        rows,
        charts.Measure(term.title, term.decimals, term.percent),
        caption,
        reference=0.0 if metric == "calibration_in_the_large" else overall,
        limit=_limit(result, task, metric),
    )


def _row(result: RunResult, task: str, metric: str, group: Group) -> charts.ForestRow:
    return charts.ForestRow(
        wording.values_text(group) or "overall",
        result.estimate(task, metric, group),
        result.subjects(task, group),
        "bad" if result.failed(task, metric, group) else "neutral",
    )


def _limit(result: RunResult, task: str, metric: str) -> charts.Limit | None:
    """The limit that holds in every group, if there is exactly one."""
    for threshold in result.settings.thresholds:
        concerned = task in threshold.tasks or not threshold.tasks
        if (threshold.metric, threshold.scope) != (metric, "every_slice") or threshold.versus:
            continue
        if concerned and threshold.at_least is not None:
            return charts.Limit(threshold.at_least, "at least")
    return None


def _group_table(result: RunResult, task: str, groups: Sequence[Group]) -> Table:
    return Table(
        f"{result.settings.tasks[task].title}, by group",
        (
            Column("Group"),
            Column("Subjects", "end"),
            Column("With outcome", "end"),
            *map(metric_column, _OF_GROUPS),
        ),
        [
            (
                wording.group_name(group),
                result.subjects(task, group),
                result.positives(task, group),
                *(result.judged(task, metric, group) for metric in _OF_GROUPS),
            )
            for group in (OVERALL, *groups)
        ],
        (_COARSE,) if result.has_unknown_labels(task) else (),
    )
