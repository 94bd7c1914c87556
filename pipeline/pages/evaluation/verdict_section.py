"""The verdict and its reasons."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.html.blocks import (
    Block,
    Bullets,
    Cell,
    Column,
    Details,
    KeyFigure,
    KeyFigures,
    Notice,
    Paragraph,
    Table,
)
from pipeline.html.numbers import has_interval, number
from pipeline.html.page import Section
from pipeline.html.palette import Tone
from pipeline.metrics import METRICS
from pipeline.pages.between_groups import between_groups_blocks
from pipeline.pages.evaluation import wording
from pipeline.pages.evaluation.run_result import RunResult
from pipeline.pages.metrics import TONES, metric_column, task_verdicts_table
from pipeline.pages.reference_models import reference_table
from pipeline.results.documents import OVERALL
from pipeline.results.outcomes import Origin
from pipeline.results.scheme_words import scheme_notes
from pipeline.study.sections import Threshold

_SET_BY: Mapping[Origin, str] = {"study": "study file", "default": "default"}
_MAIN = ("auc", "brier", "calibration_slope", "expected_calibration_error")
_FURTHER = ("pr_auc", "log_loss", "observed_rate", "mean_prediction", "calibration_in_the_large")
_COMPARED = ("auc", "brier", "expected_calibration_error")


def verdict_section(result: RunResult) -> Section:
    """The verdict with its reasons, the main metrics and the study's thresholds."""
    blocks: list[Block] = [_decision(result), _key_figures(result)]
    titles = {name: task.title for name, task in result.settings.tasks.items()}
    if len(titles) > 1:
        # The notice above has the reasons.
        blocks.append(task_verdicts_table(result.verdict, titles, with_reasons=False))
    of_scheme = scheme_notes(result.metrics, result.titles)
    notes = (*of_scheme, *result.verdict.note_texts(result.titles))
    if notes:
        blocks.append(Bullets(notes))
    blocks.append(Paragraph(wording.registration_sentence(result)))
    if result.thresholds:
        blocks.append(_thresholds(result))
    if result.metrics.has_champion:
        blocks.append(_champion(result))
    return Section("Decision", blocks)


def overall_section(result: RunResult) -> Section:
    """All tasks side by side."""
    out_of_fold = result.metrics.evaluation.out_of_fold
    whose = "of all subjects, out of fold" if out_of_fold else "on the test split"
    more = Details(
        "Further metrics and their meaning",
        (
            _performance(result, f"Further metrics {whose}", _FURTHER),
            Bullets([f"{METRICS[m].title}: {METRICS[m].says}" for m in (*_MAIN, *_FURTHER)]),
        ),
    )
    main = _performance(result, f"Performance {whose}, with 95 % intervals", _MAIN)
    titles = {name: task.title for name, task in result.settings.tasks.items()}
    references = reference_table(result.metrics, titles)
    between = between_groups_blocks(result.metrics, titles)
    return Section("Performance", (main, *between, *([references] if references else []), more))


def _performance(result: RunResult, caption: str, metrics: tuple[str, ...]) -> Table:
    return Table(
        caption,
        (
            Column("Task"),
            Column("Subjects", "end"),
            Column("With outcome", "end"),
            *map(metric_column, metrics),
        ),
        [
            (
                task.title,
                result.subjects(name),
                result.positives(name),
                *(result.judged(name, metric) for metric in metrics),
            )
            for name, task in result.settings.tasks.items()
        ],
        ("Subjects whose outcome is unknown are excluded from the task.",),
    )


def _decision(result: RunResult) -> Notice:
    verdict = result.verdict
    kind: Tone = TONES[verdict.decision]
    if verdict.blessed and (not verdict.judged or verdict.failed):
        kind = "warn"
    return Notice(
        kind,
        wording.decision(result),
        wording.decision_sentence(result),
        result.reason_texts(),
    )


def _key_figures(result: RunResult) -> KeyFigures:
    figures = []
    for name, task in result.settings.tasks.items():
        found = result.estimate(name, "auc")
        interval = (
            f"{number(found.lower)} to {number(found.upper)}"
            if has_interval(found)
            else "no interval"
        )
        tone: Tone = "bad" if result.failed(name, "auc", OVERALL) else "neutral"
        figures.append(KeyFigure(f"AUC, {task.title}", found.value, interval, tone))
    return KeyFigures(figures)


def _thresholds(result: RunResult) -> Table:
    tasks = result.settings.tasks
    return Table(
        "Thresholds",
        (
            Column("Threshold"),
            Column("Set by"),
            Column("Tasks"),
            Column("Where"),
            Column("Outcome"),
        ),
        [
            (
                wording.threshold_text(threshold),
                _SET_BY[origin],
                ", ".join(tasks[name].title for name in threshold.tasks) or "all",
                "all subjects and each group"
                if threshold.scope == "every_slice"
                else "all subjects",
                _outcome(result, number, threshold),
            )
            for number, (origin, threshold) in enumerate(result.thresholds)
        ],
        _not_judged(result),
    )


def _outcome(result: RunResult, number: int, threshold: Threshold) -> Cell:
    """Outcome of a threshold; `number` is its position among all that were applied."""
    outcomes = result.verdict.outcomes(number)
    if outcomes is None:
        return _outcome_of_0_1_0(result, threshold)
    failures = outcomes.count("fails")
    if failures:
        return _failed(failures)
    return Cell("passed", "good") if "passes" in outcomes else Cell("not judged", "muted")


def _outcome_of_0_1_0(result: RunResult, threshold: Threshold) -> Cell:
    """The same of a verdict that lists the failed comparisons alone."""
    if threshold.versus and not result.metrics.has_champion:
        return Cell("not judged", "muted")
    failures = sum(refusal.threshold == threshold for refusal in result.verdict.reasons)
    return _failed(failures) if failures else Cell("passed", "good")


def _failed(comparisons: int) -> Cell:
    return Cell(f"failed in {comparisons} comparison{'' if comparisons == 1 else 's'}", "bad")


def _not_judged(result: RunResult) -> list[str]:
    groups = len(result.verdict.not_judged)
    if not groups:
        return []
    fewest = result.metrics.smallest_group
    return [f"Not judged: {groups} groups of a task with fewer than {fewest} subjects."]


def _champion(result: RunResult) -> Table:
    return Table(
        "Compared with the champion on the same subjects: challenger − champion",
        (Column("Task"), *map(metric_column, _COMPARED)),
        [
            (
                task.title,
                *(result.estimate(name, metric, model="difference") for metric in _COMPARED),
            )
            for name, task in result.settings.tasks.items()
        ],
    )
