"""The page of a run."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.html import charts
from pipeline.html.blocks import Block, Facts, Grid, Notice, Paragraph
from pipeline.html.numbers import Suppressed, count
from pipeline.html.page import Page, Section
from pipeline.metrics import METRICS
from pipeline.pages.evaluation import wording
from pipeline.pages.evaluation.data_section import data_section
from pipeline.pages.evaluation.run_result import RunResult
from pipeline.pages.evaluation.task_section import task_section
from pipeline.pages.evaluation.verdict_section import overall_section, verdict_section
from pipeline.results.documents import Group
from pipeline.results.scheme_words import scheme_title
from pipeline.study.blinded import POOLED


def run_page(result: RunResult) -> Page:
    """Builds the page.

    Args:
        result: The run's result.
    """
    sections = [verdict_section(result), *_numbers(result), data_section(result), _about(result)]
    return Page(
        title=result.settings.title,
        lead=(
            f"{wording.decision(result)}. {wording.decision_sentence(result)} "
            f"{wording.basis(result)}"
        ),
        blocks=[Notice("warn", POOLED, result.settings.pooled)] if result.settings.pooled else [],
        sections=sections,
        kicker="Evaluation of a run",
        banner=result.settings.banner,
        footer="A model blessed here predicts within this trial's population. It is no medical "
        "device.",
    )


def _numbers(result: RunResult) -> list[Section]:
    if result.verdict.is_held_back:
        return []
    sections = [overall_section(result)]
    sections += [task_section(result, task) for task in result.settings.tasks]
    compared = _groups_compared(result)
    return [*sections, Section("Groups side by side", compared)] if compared else sections


def _groups_compared(result: RunResult) -> list[Block]:
    tasks = list(result.settings.tasks)
    groups = list(
        dict.fromkeys(group for task in tasks for group in result.groups(task) if len(group) == 1)
    )
    if not groups or len(tasks) < 2:
        return []
    return [
        Paragraph("Groups of one slicing; a dash means that a group has no value."),
        Grid(
            (
                _heat_map(result, groups, "auc", None),
                _heat_map(result, groups, "calibration_in_the_large", 0.0),
            )
        ),
    ]


def _heat_map(
    result: RunResult, groups: Sequence[Group], metric: str, centre: float | None
) -> Block:
    term = METRICS[metric]
    tasks = list(result.settings.tasks)
    return charts.heat_map(
        [" ".join(group[0]) for group in groups],
        [result.titles.task(task) for task in tasks],
        [[_cell(result, task, metric, group) for task in tasks] for group in groups],
        charts.Measure(term.title, min(term.decimals, 2), term.percent),
        f"{term.title}. {term.says}",
        centre=centre,
    )


def _cell(result: RunResult, task: str, metric: str, group: Group) -> float | Suppressed | None:
    found = result.record(task, metric, group)
    return found.value if found else result.not_shown(task, group)


def _widened(result: RunResult) -> str:
    if not result.metrics.evaluation.out_of_fold:
        return ""
    return (
        " Out of fold the jackknife's intervals are widened, since the models would differ if "
        "other subjects had trained them."
    )


def _about(result: RunResult) -> Section:
    settings = result.settings
    fewest = count(result.metrics.smallest_group)
    facts = Facts(
        (
            ("Study", f"{settings.title} ({settings.study_name})"),
            ("Fingerprint of data and study file", result.fingerprint),
            ("Version of the pipeline", result.code_version),
            ("Evaluation", scheme_title(result.metrics.evaluation)),
            ("Smallest group shown", result.metrics.smallest_group),
        )
    )
    notes = (
        Paragraph(
            "Intervals are 95 % intervals: of the delete-a-group jackknife over 20 groups of "
            "subjects, of Wilson for the points of a calibration curve, and exact ones for rates "
            "of 0 and 100 %. They are not adjusted for the number of comparisons."
            + _widened(result)
        ),
        Paragraph(
            f"Groups with fewer than {fewest} subjects are not shown, and neither is what would "
            "disclose them by subtraction."
        ),
    )
    return Section("About this page", (facts, *notes))
