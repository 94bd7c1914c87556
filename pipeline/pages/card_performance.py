"""A model's performance, by group and against the champion: sections of the model card."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.estimates import Estimate
from pipeline.html.blocks import (
    Block,
    Cell,
    Column,
    Grid,
    Paragraph,
    Table,
)
from pipeline.html.charts import (
    CalibrationCurve,
    ForestRow,
    Measure,
    calibration_curve,
    forest_plot,
)
from pipeline.html.numbers import Suppressed, Value
from pipeline.metrics import METRICS
from pipeline.pages.between_groups import between_groups_blocks
from pipeline.pages.counted_groups import COUNTS_DIFFER
from pipeline.pages.metrics import (
    metric_column,
    metric_title,
)
from pipeline.pages.reference_models import reference_table
from pipeline.pages.uncertainty import MEASURED, NO_SETS, promise
from pipeline.results.card import Card
from pipeline.results.documents import MetricRecord, find_overall, find_records
from pipeline.results.evaluation_plan import EvaluationPlan
from pipeline.results.group_order import rising
from pipeline.results.scheme_words import MEAN_PROVES_NOTHING

_OVERALL = (
    "auc",
    "pr_auc",
    "brier",
    "log_loss",
    "calibration_slope",
    "expected_calibration_error",
)


def performance_blocks(card: Card) -> list[Block]:
    """Metrics of all subjects evaluated, and the AUC of each group."""
    records = card.evidence.metrics.records
    blocks: list[Block] = [
        Table(
            f"{_whose(card)} with a known label, with 95 % intervals",
            [
                Column("Task"),
                Column("Subjects", "end"),
                Column("With outcome", "end"),
                *map(metric_column, _OVERALL),
            ],
            [_overall_row(card, outcome.name, _OVERALL) for outcome in card.outcomes],
            [f"{METRICS[name].title}: {METRICS[name].says}" for name in _OVERALL],
        )
    ]
    titles = card.task_titles.tasks
    references = reference_table(card.evidence.metrics, titles)
    blocks += [references] if references else []
    blocks += between_groups_blocks(card.evidence.metrics, titles)
    for outcome in card.outcomes:
        found = sorted(find_records(records, outcome.name, "auc"), key=_place)
        if not found:
            continue
        rows = [ForestRow(r.group_text, r.estimate, r.subjects) for r in found]
        caption = f"{outcome.title}: AUC by group, with 95 % intervals and numbers of subjects"
        if _has_unknown_labels(card, outcome.name):
            caption = f"{caption}. {COUNTS_DIFFER}"
        blocks.append(
            forest_plot(
                rows,
                Measure("AUC", 2),
                caption,
                reference=None if found[0].slice else found[0].value,
            )
        )
    return blocks


def _has_unknown_labels(card: Card, task: str) -> bool:
    counts = card.evidence.counts
    known = sum(labels.known for labels in counts.tasks.get(task, {}).values())
    return known < sum(counts.subjects.values())


def _whose(card: Card) -> str:
    out_of_fold = card.evidence.metrics.evaluation.out_of_fold
    return "All subjects, predicted out of fold," if out_of_fold else "All test subjects"


def _place(record: MetricRecord) -> tuple[object, ...]:
    """Sort key of a group: all subjects, single slicings, pairs; bands in ascending order."""
    names = [name for name, _ in record.group]
    return len(names), names, [rising(value) for _, value in record.group]


def _overall_row(card: Card, task: str, metrics: Sequence[str]) -> list[Value | Cell]:
    records = card.evidence.metrics.records
    title = card.task_titles.task(task)
    found = [find_overall(records, task, name) for name in metrics]
    known = next((record for record in found if record), None)
    if known is None:
        suppressed = Suppressed(card.evidence.metrics.smallest_group)
        return [title, suppressed, suppressed, *([None] * len(metrics))]
    estimates = [r.estimate if r else None for r in found]
    return [title, known.subjects, known.positives, *estimates]


def uncertainty_blocks(card: Card) -> list[Block]:
    """What sets and intervals promise, for which groups, and what was measured in each."""
    records = card.evidence.metrics.records
    measures = (
        "coverage_positive",
        "coverage_negative",
        "empty_sets",
        "interval_width",
        "interval_calibration_error",
    )
    blocks: list[Block] = []
    for outcome in card.outcomes:
        of_measures = {
            name: {r.group: r for r in find_records(records, outcome.name, name)}
            for name in measures
        }
        found = sorted(of_measures[measures[0]].values(), key=_place)
        if not found:
            blocks.append(Paragraph(f"{outcome.title}: {NO_SETS}"))
            continue
        blocks.append(
            Table(
                f"{outcome.title}: prediction sets and intervals, with 95 % intervals",
                [Column("Group"), *map(metric_column, measures)],
                [
                    [
                        record.group_text,
                        *(_estimate(of_measures[name].get(record.group)) for name in measures),
                    ]
                    for record in found
                ],
                [MEASURED],
            )
        )
    return [Paragraph(promise(card.evidence.metrics.evaluation)), *blocks]


def _estimate(record: MetricRecord | None) -> Estimate | None:
    return record.estimate if record else None


def calibration_blocks(card: Card) -> list[Block]:
    """How predictions were recalibrated, and their calibration curves."""
    out_of_fold = card.evidence.metrics.evaluation.out_of_fold
    titles = card.task_titles
    figures: list[Block] = []
    for curves in card.evidence.curves.curves:
        if curves.slice or curves.model != "challenger" or not curves.calibration:
            continue
        title = titles.task(curves.task)
        curve = CalibrationCurve(title, curves.calibration, curves.smooth)
        figures.append(calibration_curve([curve], title))
    return [
        Paragraph(
            "Probabilities are recalibrated by a slope and intercept per task on the scale of log "
            f"odds, {_recalibrated(card.evidence.metrics.evaluation)}"
        ),
        Table(
            "Recalibration of the model that is pushed" if out_of_fold else "Recalibration",
            [Column("Task"), Column("Slope", "end"), Column("Intercept", "end")],
            [
                [titles.task(task), item.slope, item.intercept]
                for task, item in card.evidence.training.calibration.items()
            ],
        ),
        Grid(figures),
    ]


def _recalibrated(plan: EvaluationPlan) -> str:
    """On whom, and who shows the result; ends its sentence."""
    if not plan.out_of_fold:
        return "on the eval split; the test split shows the result."
    text = (
        "on training subjects that a model was not fitted to; the curves show the out-of-fold "
        "predictions."
    )
    return f"{text} {MEAN_PROVES_NOTHING}" if plan.scheme == "cross_fit" else text


def fairness_blocks(card: Card) -> list[Block]:
    """Largest differences between groups of a slicing."""
    rows: list[list[Value | Cell]] = [
        [
            card.task_titles.task(gap.task),
            " and ".join(gap.slicing),
            metric_title(gap.metric, gap.decision_threshold),
            gap.estimate,
            gap.lowest,
            gap.highest,
            gap.groups,
        ]
        for gap in card.gaps
    ]
    if not rows:
        return [Paragraph("No slicing has two groups that are large enough to compare.")]
    return [
        Table(
            "Largest difference between two groups of a slicing",
            [
                Column("Task"),
                Column("Groups by"),
                Column("Metric"),
                Column("Largest difference (95 %)", "end"),
                Column("Lowest"),
                Column("Highest"),
                Column("Groups", "end"),
            ],
            rows,
            [
                "The two groups were picked because they differ most: with many groups a "
                "difference is to be expected by chance, and the interval, which takes the two "
                "as given, is too narrow.",
                f"Groups of fewer than {card.evidence.metrics.smallest_group} subjects are not "
                "compared.",
            ],
        )
    ]


def champion_blocks(card: Card) -> list[Block]:
    """The champion's metrics and the model's."""
    evidence = card.evidence
    if evidence.champion is None:
        return [Paragraph("No champion was evaluated beside this model.")]
    rows: list[list[Value | Cell]] = [
        [
            card.task_titles.task(record.task),
            METRICS[record.metric].title,
            record.estimate,
            record.subjects,
        ]
        for record in evidence.metrics.records
        if not record.slice
        and record.model == "difference"
        and record.versus is None
        and record.metric in ("auc", "brier")
    ]
    return [
        Paragraph(
            f"The champion {evidence.champion} and this model were compared on subjects that "
            "neither was trained, stopped or calibrated on; out of fold each was predicted by "
            "models that never saw the subject. The differences below are challenger minus "
            "champion."
        ),
        Table(
            "Challenger minus champion",
            [
                Column("Task"),
                Column("Metric"),
                Column("Difference (95 %)", "end", 4),
                Column("Subjects", "end"),
            ],
            rows,
        ),
    ]
