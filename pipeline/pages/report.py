"""The report of a run: one file for reviewers of the model and the trial."""

from __future__ import annotations

from pipeline.html.blocks import Block, Bullets, Notice, Paragraph
from pipeline.html.numbers import number
from pipeline.html.page import Page, Section
from pipeline.pages.analysis import analysis_sections, main_effects
from pipeline.pages.card import titled_card, titled_card_page
from pipeline.results.analysis import Analysis
from pipeline.results.card import Card
from pipeline.results.documents import find_overall
from pipeline.results.scheme_words import basis_sentence
from pipeline.results.task_verdicts import WORDS
from pipeline.results.titled_groups import with_titles
from pipeline.study.slicing_titles import slicing_titles
from pipeline.titles import title_or_name

INTERNAL = (
    "Internal: shows groups of any size and exact times. For the owners of the data of the "
    "trial; not to be passed on."
)


def report_page(card: Card, analysis: Analysis | None, run: str, internal: bool = False) -> Page:
    """Builds the report.

    Args:
        card: The model's card.
        analysis: The researcher's analysis; None where the run has none.
        run: Id of the run.
        internal: Whether the analysis shows every group; a banner then states it.
    """
    card = titled_card(card)
    page = titled_card_page(card)
    sections = [Section("In short", _summary(card, analysis), id="summary")]
    if analysis:
        analysis = with_titles(analysis, slicing_titles(card.study))
        sections.append(Section("The trial", (), analysis_sections(analysis, card.titles)))
    sections.append(Section("The model: its card", (), page.sections))
    return Page(
        title=title_or_name(card.study.study, card.study.title),
        kicker=f"Report of run {run}",
        lead=page.lead,
        blocks=page.blocks,
        sections=sections,
        footer=page.footer,
        banner=" ".join(filter(None, (page.banner, INTERNAL if internal else ""))),
    )


def _summary(card: Card, analysis: Analysis | None) -> list[Block]:
    plan = card.evidence.metrics.evaluation
    subjects = card.evidence.counts.subjects.get(plan.evaluated_split)
    blocks: list[Block] = [
        Paragraph(
            "How well the model predicts, in words; the numbers are below. "
            + basis_sentence(plan, subjects)
        ),
        Bullets([_of_task(card, outcome.name, outcome.title) for outcome in card.outcomes]),
        *_gaps(card),
    ]
    if analysis:
        blocks += _effects(analysis)
    return blocks


def _of_task(card: Card, task: str, title: str) -> str:
    records = card.evidence.metrics.records
    auc = find_overall(records, task, "auc")
    if auc is None or auc.value is None:
        return f"{title}: too few subjects to assess the prediction."
    rate = find_overall(records, task, "observed_rate")
    shift = find_overall(records, task, "calibration_in_the_large")
    text = (
        f"{title}: of two patients, one with and one without it, the model gives the one with it "
        f"the higher probability in {number(auc.value, 0, True)} of the cases"
    )
    if auc.lower is not None and auc.upper is not None:
        text += f" (95 %: {number(auc.lower, 0, True)} to {number(auc.upper, 0, True)})"
    if rate is not None and rate.value is not None:
        text += f"; it happened to {number(rate.value, 1, True)} of the patients"
    # Under cross_fit it is near 0 by construction and says nothing.
    cross_fitted = card.evidence.metrics.evaluation.scheme == "cross_fit"
    if shift is not None and shift.value is not None and not cross_fitted:
        word = "higher" if shift.value > 0 else "lower"
        text += (
            f", and predictions were on average {number(abs(shift.value) * 100, 1)} percentage "
            f"points {word}"
        )
    return " ".join([f"{text}.", *_cautions(card, task)])


def _cautions(card: Card, task: str) -> list[str]:
    """That the task is not served, and which simpler model predicts as well."""
    verdict = card.evidence.verdict
    decision = verdict.of_task(task).verdict
    cautions = [] if decision == "blessed" else [f"It is {WORDS[decision]} and not served."]
    return [*cautions, *verdict.said_of(task, card.task_titles)]


def _gaps(card: Card) -> list[Block]:
    """Where predictions are too high for one group and too low for another, beyond chance."""
    certain = [
        gap
        for gap in card.gaps
        if gap.metric == "calibration_in_the_large" and gap.lower is not None and gap.lower > 0
    ]
    if not certain:
        return []
    return [
        Notice(
            "warn",
            "Not equally calibrated in all groups",
            "The distance between mean prediction and observed rate differs between groups by "
            "more than the interval allows for chance:",
            [
                f"{card.task_titles.task(gap.task)}, by {' and '.join(gap.slicing)}: "
                f"{gap.highest} against "
                f"{gap.lowest}, {number(gap.value * 100, 1)} percentage points"
                for gap in certain
            ],
        )
    ]


def _effects(analysis: Analysis) -> list[Block]:
    effects = [effect for task in analysis.tasks for effect in main_effects(analysis, task)]
    if not effects:
        return []
    decided = [item for item in effects if item.number_needed.direction != "undecided"]
    heading = (
        f"What the arms did: {len(decided)} of {len(effects)} comparisons have an interval without "
        "0; the others leave it open whether there is a difference."
        if analysis.randomised
        else f"How the arms differ, in {len(decided)} of {len(effects)} comparisons beyond their "
        "intervals. They were not assigned by chance: no effect is claimed."
    )
    blocks: list[Block] = [Paragraph(heading)]
    return [*blocks, Bullets([item.says for item in decided])] if decided else blocks
