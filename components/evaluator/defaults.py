"""Thresholds of tasks for which the study file has none."""

from __future__ import annotations

from collections.abc import Iterator

from components.evaluator.settings import EvaluatorSettings
from pipeline.names import BASE_RATE, CHAMPION
from pipeline.results.evaluation_plan import PlannedScheme
from pipeline.study.sections import DefaultThresholds, Threshold


def default_thresholds(settings: EvaluatorSettings, scheme: PlannedScheme) -> tuple[Threshold, ...]:
    """The defaults that apply to a run.

    A threshold of the study file replaces the default of the same metric for its tasks, where both
    are of the value itself or both are differences to the same model: the default AUC is demanded
    beside a study's difference to a reference model or to the champion.

    Args:
        settings: The study's thresholds, and its settings of the defaults.
        scheme: How this run evaluates.

    Returns:
        The defaults, each with the tasks that it applies to.
    """
    if settings.default_thresholds is None:
        return ()
    wanted = _wanted(settings.default_thresholds, scheme)
    tasks = ((threshold, _tasks_without(settings, threshold)) for threshold in wanted)
    return tuple(
        threshold.model_copy(update={"tasks": without}) for threshold, without in tasks if without
    )


def _wanted(chosen: DefaultThresholds, scheme: PlannedScheme) -> Iterator[Threshold]:
    if chosen.auc is not None:
        yield Threshold(metric="auc", at_least=chosen.auc, holds="bound", strict=True)
    # Another trial trains no model, so there are no reference models of it.
    if chosen.better_than_base_rate and scheme != "validate":
        yield Threshold(metric="brier", at_most=0, holds="bound", strict=True, versus=BASE_RATE)
    if scheme == "cross_fit":
        if chosen.calibration_slope is not None:
            low, high = chosen.calibration_slope
            yield Threshold(metric="calibration_slope", at_least=low, at_most=high, holds="overlap")
    elif chosen.calibration is not None:
        yield Threshold(
            metric="calibration_in_the_large",
            at_least=-chosen.calibration,
            at_most=chosen.calibration,
            holds="overlap",
        )
    if chosen.champion_margin is not None:
        yield Threshold(
            metric="auc", at_least=-chosen.champion_margin, holds="bound", versus=CHAMPION
        )


def _tasks_without(settings: EvaluatorSettings, default: Threshold) -> tuple[str, ...]:
    """Tasks for which the study file has no threshold that replaces a default."""
    replacing = [
        threshold
        for threshold in settings.thresholds
        if threshold.metric == default.metric and threshold.versus == default.versus
    ]
    return tuple(
        task
        for task in settings.tasks
        if not any(task in threshold.tasks or not threshold.tasks for threshold in replacing)
    )
