"""Blocks on the arms: effects of the analysis, predicted and observed rates."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from notebooks.results.arm_effects import effects_by_third, predicted_effects
from notebooks.results.attributions import boxes
from notebooks.results.quartile_chart import quartile_chart
from notebooks.results.scored_subjects import ScoredSubjects
from pipeline.html.blocks import Block, Column, Paragraph, Table
from pipeline.html.charts import ForestRow, Measure, forest_plot
from pipeline.names import ARM
from pipeline.results import analysis
from pipeline.results.documents import (
    read_result,
)
from pipeline.study.sections import Arm

POINTS = Measure("percentage points of probability", 1, percent=True)


def analysis_blocks(folder: str | None) -> Iterator[Block]:
    """Risk differences of the arms, as TrialAnalysis found them in all splits.

    Args:
        folder: Folder of its output; None where the run has none.

    Raises:
        UserError: The document is missing or damaged.
    """
    if folder is None:
        yield Paragraph("This run has no analysis of the arms.")
        return
    found = read_result(analysis.Analysis, folder)
    rows: list[ForestRow | str] = []
    for task in found.tasks:
        rows.append(task.title)
        for effect in task.effects:
            text = effect.comparison.text
            rows.append(ForestRow(f"{text}, as observed", effect.risk_difference))
            if effect.adjusted.absent is None:
                adjusted = effect.adjusted.risk_difference
                rows.append(ForestRow(f"{text}, adjusted", adjusted))
    if len(rows) > len(found.tasks):
        yield forest_plot(
            rows,
            Measure("risk difference, percentage points", 1, percent=True),
            "From TrialAnalysis, all splits together.",
            reference=0.0,
        )


def effect_blocks(subjects: ScoredSubjects, place: int, arm: Arm, smallest: int) -> Iterator[Block]:
    """Predicted and observed differences between the arms.

    Args:
        subjects: Evaluated subjects.
        place: Place of the task among theirs.
        arm: The study's arm.
        smallest: Fewest subjects that a number may concern.
    """
    names = [source.name for source in subjects.sources]
    if ARM not in names:
        return
    found = predicted_effects(
        subjects.mixed,
        subjects.count,
        len(names),
        names.index(ARM),
        subjects.arm,
        arm.control,
    )
    rows = [
        box
        for name, effect in found.items()
        for box in boxes(effect[:, place], [f"{name} for all"] * subjects.count, smallest)
    ]
    if rows:
        yield quartile_chart(rows, POINTS, f"Predicted difference to {arm.control}.")
    known = subjects.known[:, place]
    arms = np.asarray(subjects.arm)[known].tolist()
    for name, effect in found.items():
        thirds = effects_by_third(
            effect[known, place],
            subjects.labels[known, place],
            arms,
            (name, arm.control),
            smallest,
            subjects.weights[known, place],
        )
        if not thirds:
            yield Paragraph(f"{name}: too few subjects in a third of an arm to compare.")
            continue
        yield Table(
            f"{name} against {arm.control}, by third of the predicted difference",
            [
                Column("Third"),
                Column("Subjects", "end"),
                Column("Predicted", "end", 1, percent=True),
                Column("Observed difference", "end", 1, percent=True),
            ],
            [[item.third, item.subjects, item.predicted, item.observed] for item in thirds],
        )
