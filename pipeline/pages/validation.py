"""The page of an external validation: one screen first, details after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.estimates import Estimate
from pipeline.html.blocks import (
    Block,
    Bullets,
    Cell,
    Column,
    Details,
    Facts,
    Notice,
    Paragraph,
    Table,
)
from pipeline.html.numbers import Suppressed, Value, count, has_interval, number
from pipeline.html.page import Page, Section
from pipeline.metrics import METRICS
from pipeline.pages.metrics import TONES, metric_column
from pipeline.pages.validation_result import ValidationResult
from pipeline.pages.validation_task import task_blocks
from pipeline.results.task_verdicts import TaskDecision
from pipeline.results.validation import (
    CaseMixFeature,
    FeatureSummary,
    TaskValidation,
    UpdateMethod,
)
from pipeline.titles import Titles

_MAIN = ("auc", "calibration_in_the_large", "calibration_slope", "brier")
_LARGE_DIFFERENCE = 0.1
"""Standardised differences above it are marked (Austin, Stat Med 2009;28:3083-107)."""

_OUTCOMES: Mapping[TaskDecision, str] = {
    "blessed": "passed",
    "refused": "failed",
    "not_judged": "not judged",
}

UPDATES: Mapping[UpdateMethod, str] = {
    "recalibration_in_the_large": "Recalibration in the large",
    "logistic_recalibration": "Logistic recalibration",
}
"""Titles of the updates."""


def validation_page(result: ValidationResult) -> Page:
    """Builds the page.

    Args:
        result: The validation's result.
    """
    found = result.validation
    warnings = found.warnings
    sections = [
        Section("How well the model predicts here", _summary(result), id="summary"),
        Section("What an update would gain", _updates(result), id="updates"),
        Section("Who the subjects are", _case_mix(result), id="case-mix"),
        *(Section(result.titles[t.task], task_blocks(result, t.task)) for t in found.tasks),
        Section("About this page", _about(result), id="about"),
    ]
    return Page(
        title=result.title,
        kicker="External validation of a registered model",
        lead=(
            f"The model {found.model.id} of the study {found.model.study} was applied, unchanged, "
            f"to {count(found.subjects)} subjects that it was not trained on."
        ),
        blocks=[Notice("warn", "Check the data first", "", warnings)] if warnings else [],
        sections=sections,
        footer="An external validation says how a model predicts in these subjects. It is no "
        "medical device.",
    )


def sentence(result: ValidationResult, task: TaskValidation) -> str:
    """What was found on a task, for a clinician.

    Args:
        result: The validation's result.
        task: The task.
    """
    title = result.titles[task.task]
    if task.subjects is None:
        return f"{title}: too few subjects have a known outcome."
    parts = [f"{title}: {_discrimination(result, task.task)}", _calibration(result, task.task)]
    return " ".join([*parts, _update_sentence(task)])


def _discrimination(result: ValidationResult, task: str) -> str:
    auc = result.record(task, "auc")
    if auc is None or auc.value is None:
        return "its discrimination can't be estimated."
    if auc.lower is None:
        return f"AUC {number(auc.value, 2)}, without an interval."
    words = (
        "it ranks subjects better than chance"
        if auc.lower > 0.5
        else "it is not shown to rank subjects better than chance"
    )
    return f"{words} (AUC {number(auc.value, 2)})."


def _calibration(result: ValidationResult, task: str) -> str:
    large = result.record(task, "calibration_in_the_large")
    if large is None or large.value is None or large.lower is None or large.upper is None:
        return "Its calibration can't be estimated."
    points = f"{number(abs(large.value) * 100, 1)} percentage points"
    if large.lower > 0:
        return f"It predicts too much: on average {points} above the observed rate."
    if large.upper < 0:
        return f"It predicts too little: on average {points} below the observed rate."
    return "Its mean prediction agrees with the observed rate within the interval."


def _update_sentence(task: TaskValidation) -> str:
    gaining = [u for u in task.updates if u.log_loss_gain.lower is not None]
    better = [u for u in gaining if (u.log_loss_gain.lower or 0) > 0]
    if not task.updates:
        return f"No update could be fitted: {task.why_not_fitted}."
    if not better:
        return "Neither update is shown to predict better."
    return f"Would predict better after {_and([u.method for u in better])}."


def _summary(result: ValidationResult) -> list[Block]:
    rows = []
    for task in result.validation.tasks:
        rows.append(
            [
                result.titles[task.task],
                _count(result, task.subjects),
                _count(result, task.positives),
                *(_estimate(result, task.task, metric) for metric in _MAIN),
                task.observed_to_expected if task.subjects else None,
            ]
        )
    table = Table(
        "Performance in these subjects, with 95 % intervals",
        (
            Column("Task"),
            Column("Subjects", "end"),
            Column("With outcome", "end"),
            *(metric_column(metric) for metric in _MAIN),
            Column("Observed / expected", "end", 2),
        ),
        rows,
        [f"{METRICS[m].title}: {METRICS[m].says}" for m in _MAIN],
    )
    blocks: list[Block] = [
        Bullets([sentence(result, task) for task in result.validation.tasks]),
        table,
    ]
    if result.verdict.judged:
        blocks.append(
            Details(
                "Compared with the thresholds of the study file",
                [_thresholds(result)],
            )
        )
    return blocks


def _thresholds(result: ValidationResult) -> Table:
    """What each task reaches; nothing is blessed here, since the model was registered before."""
    rows: list[list[Value | Cell]] = []
    for task, title in result.titles.items():
        found = result.verdict.of_task(task)
        why = found.why(Titles(result.titles)) or None
        rows.append([title, Cell(_OUTCOMES[found.verdict], TONES[found.verdict]), why])
    return Table(
        "Thresholds of the study file, and default ones",
        (Column("Task"), Column("Outcome"), Column("Why")),
        rows,
    )


def _updates(result: ValidationResult) -> list[Block]:
    rows: list[list[Value | Cell]] = []
    for task in result.validation.tasks:
        for update in task.updates:
            rows.append(
                [
                    result.titles[task.task],
                    UPDATES[update.method],
                    update.intercept,
                    update.slope,
                    _gain(update.log_loss_gain),
                    _gain(update.brier_gain),
                ]
            )
    missing = [
        f"{result.titles[task.task]}: {_and(task.not_fitted)} could not be fitted, since "
        f"{task.why_not_fitted}."
        for task in result.validation.tasks
        if task.not_fitted
    ]
    if not rows:
        return [Bullets(missing)]
    notes = [
        "Gain: log loss or Brier score of the model as it is, minus that of the updated model; "
        "above 0 the update is better, and marked where its interval is above 0. Estimated without "
        "optimism: each subject's prediction was updated by a fit to other subjects.",
        "Recalibration in the large changes the intercept alone; logistic recalibration changes "
        "intercept and slope (Steyerberg et al., Stat Med 2004;23:2567-86). Neither changes which "
        "of two subjects has the higher prediction, so the AUC stays.",
        "The model was not changed. `trial validate --update` registers an updated one beside it.",
    ]
    blocks: list[Block] = [
        Table(
            "Simple updates, with 95 % intervals",
            (
                Column("Task"),
                Column("Update"),
                Column("Intercept", "end", 2),
                Column("Slope", "end", 2),
                Column("Gain in log loss", "end", 4),
                Column("Gain in Brier score", "end", 4),
            ),
            rows,
            notes,
        )
    ]
    if missing:
        blocks.append(Bullets(missing))
    benefits = [
        [
            result.titles[task.task],
            UPDATES[update.method],
            f"{gain.decision_threshold:g}",
            _gain(gain.gain),
        ]
        for task in result.validation.tasks
        for update in task.updates
        for gain in update.net_benefit_gains
    ]
    if benefits:
        blocks.append(
            Details(
                "Gain in net benefit",
                [
                    Table(
                        "Net benefit of the updated model minus that of the model as it is",
                        (
                            Column("Task"),
                            Column("Update"),
                            Column("Decision threshold", "end"),
                            Column("Gain", "end", 4),
                        ),
                        benefits,
                        [
                            "Net benefit: true positives per subject, minus false positives "
                            "weighted by the odds of the threshold (Vickers & Elkin 2006)."
                        ],
                    )
                ],
            )
        )
    return blocks


def _and(methods: Sequence[UpdateMethod]) -> str:
    return " and ".join(UPDATES[method].lower() for method in methods)


def _gain(found: Estimate) -> Value | Cell:
    if has_interval(found) and (found.lower or 0) > 0:
        return Cell(found, "good")
    if has_interval(found) and (found.upper or 0) < 0:
        return Cell(found, "bad")
    return found


def _case_mix(result: ValidationResult) -> list[Block]:
    outcomes = Table(
        "Outcome and predictions",
        (
            Column("Task"),
            Column("Rate in training", "end", 1, percent=True),
            Column("Rate here", "end", 1, percent=True),
            Column("Mean logit of the predictions", "end", 2),
            Column("SD", "end", 2),
        ),
        [
            [
                result.titles[task.task],
                task.observed_rate_in_training,
                _estimate(result, task.task, "observed_rate"),
                task.logit_mean,
                task.logit_sd,
            ]
            for task in result.validation.tasks
        ],
    )
    rows: list[list[Value | Cell]] = []
    for feature in result.validation.case_mix:
        rows.append(
            [
                _feature_title(feature),
                _main_text(feature.training),
                _main_text(feature.validation),
                _marked(feature.difference),
                _missing(feature.training, result),
                _missing(feature.validation, result),
            ]
        )
    differing = [
        feature.about
        for feature in result.validation.case_mix
        if feature.difference is not None and abs(feature.difference) > _LARGE_DIFFERENCE
    ]
    lead = Paragraph(
        f"Features that differ by more than {_LARGE_DIFFERENCE:g} from the training data: "
        f"{', '.join(differing) or 'none'}."
    )
    features = Table(
        "Features in the training data and here",
        (
            Column("Feature"),
            Column("In training"),
            Column("Here"),
            Column("Difference", "end", 2),
            Column("Missing in training", "end", 1, percent=True),
            Column("Missing here", "end", 1, percent=True),
        ),
        rows,
        [
            "Numbers: mean (SD), and the standardised difference. Categories: shares of the known "
            "values, and the largest difference of a share. Beyond ±0.1 it is marked.",
            f"Values of fewer than {result.validation.smallest_group} subjects are counted "
            "together.",
        ],
    )
    return [lead, outcomes, Details("Features", [features])]


def _feature_title(feature: CaseMixFeature) -> str:
    return f"{feature.about}, mean (SD)" if feature.kind == "number" else feature.about


def _main_text(summary: FeatureSummary | None) -> Value:
    if summary is None:
        return None
    if summary.values:
        return "; ".join(
            f"{'other' if item.value is None else item.value} {number(item.share, 0, True)}"
            for item in summary.values
        )
    if summary.mean is None:
        return None
    return f"{number(summary.mean, 1)} ({number(summary.sd, 1)})"


def _missing(summary: FeatureSummary | None, result: ValidationResult) -> Value:
    if summary is None:
        return None
    if summary.missing is None:
        return Suppressed(result.validation.smallest_group)
    return summary.missing


def _marked(difference: float | None) -> Value | Cell:
    if difference is not None and abs(difference) > _LARGE_DIFFERENCE:
        return Cell(difference, "warn")
    return difference


def _estimate(result: ValidationResult, task: str, metric: str) -> Value:
    found = result.record(task, metric)
    return found.estimate if found else None


def _count(result: ValidationResult, value: int | None) -> Value:
    return Suppressed(result.validation.smallest_group) if value is None else value


def _about(result: ValidationResult) -> Sequence[Block]:
    found = result.validation
    return (
        Facts(
            (
                ("Model", f"{found.model.id} of the study {found.model.study}"),
                ("Registered", found.model.registered_at),
                ("Digest of the model", found.model.model_digest or "not recorded"),
                ("Fingerprint of its training data", found.model.fingerprint),
                ("Validated on", f"{result.title} ({found.study})"),
                ("Fingerprint of these data", found.fingerprint),
                ("Version of the pipeline", result.code_version),
                ("Smallest group shown", found.smallest_group),
            )
        ),
        Paragraph(
            "Intervals are 95 % intervals: of the delete-a-group jackknife over 20 groups of "
            "subjects for metrics, those of means for net benefit, Wald's for intercept and slope "
            "of an update, Student's of the paired difference for gains. They are not adjusted for "
            "the number of comparisons."
        ),
    )
