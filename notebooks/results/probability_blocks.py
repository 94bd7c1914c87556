"""Whether the probabilities of a task hold: calibration, decisions, stability."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.html.blocks import Block, Paragraph
from pipeline.pages.evaluation.clinical_figures import (
    calibration_figure,
    decision_figure,
    stability_figure,
)
from pipeline.pages.evaluation.run_result import RunResult
from pipeline.results.documents import ModelRole
from pipeline.results.scheme_words import no_stability_sentence

_MODELS: tuple[ModelRole, ...] = ("challenger", "champion")


def probability_blocks(result: RunResult, task: str) -> Iterator[Block]:
    """The figures of a task.

    Args:
        result: The run's result.
        task: The task.

    Yields:
        Figures, or a sentence on why there are none.
    """
    found = [(model, result.curves_of(task, model)) for model in _MODELS]
    curves = [(model, of_model) for model, of_model in found if of_model is not None]
    calibrated = [(model, of_model) for model, of_model in curves if of_model.calibration]
    decided = [(model, of_model) for model, of_model in curves if of_model.decision]
    if not calibrated:
        yield Paragraph("Too few subjects have a known outcome.")
        return
    yield calibration_figure(calibrated)
    if decided:
        yield decision_figure(decided)
    yield from (stability_figure(item.stability) for _, item in curves if item.stability)
    why_not = no_stability_sentence(result.metrics.evaluation)
    if why_not:
        yield Paragraph(why_not)
