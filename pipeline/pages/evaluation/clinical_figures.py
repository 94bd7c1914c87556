"""Figures by which a clinician judges probabilities: calibration, decisions, stability."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.html import charts
from pipeline.html.blocks import Figure
from pipeline.results.clinical_curves import DecisionPoint
from pipeline.results.documents import GroupCurves, ModelRole
from pipeline.results.stability import Stability


def calibration_figure(found: Sequence[tuple[ModelRole, GroupCurves]]) -> Figure:
    """The calibration curves of models on the same subjects."""
    curves = [
        charts.CalibrationCurve(
            model,
            of_model.calibration,
            of_model.smooth,
        )
        for model, of_model in found
    ]
    caption = (
        "Calibration: does a prediction of 30 % happen in 30 of 100? On the dotted line it does. "
        "Each point is about a tenth of the subjects, with its 95 % interval."
    )
    if any(of_model.smooth for _, of_model in found):
        caption += (
            " The line is smoothed (logistic regression on a restricted cubic spline of the "
            "prediction's logit), with its 95 % band."
        )
    return charts.calibration_curve(curves, caption)


def decision_figure(found: Sequence[tuple[ModelRole, GroupCurves]]) -> Figure:
    """The decision curves of models on the same subjects."""
    curves = [charts.DecisionCurve(model, of_model.decision) for model, of_model in found]
    of_first = found[0][1]
    caption = (
        "Decision curve: what treating by the model is worth beside treating all subjects or none. "
        "The threshold says how many treated without need one avoided outcome is worth: at 20 % it "
        "is 4. Higher is better; bars are 95 % intervals at each threshold. "
    )
    caption += _useful_sentence(of_first.decision)
    return charts.decision_curve(curves, of_first.observed_rate, caption)


def _useful_sentence(points: Sequence[DecisionPoint]) -> str:
    """Where the intervals of the first model say that it is better than both."""
    useful = [point.threshold for point in points if point.is_useful]
    if not useful:
        return (
            "At no threshold do the intervals show that the model is better than treating "
            "all subjects and than treating none."
        )
    return (
        f"At {len(useful)} of {len(points)} thresholds, between {useful[0]:.0%} and "
        f"{useful[-1]:.0%}, the intervals show that the model is better than both."
    ).replace("%", " %")


def stability_figure(found: Stability) -> Figure:
    """How far a subject's prediction spreads between training samples."""
    points = {name: f"{100 * value:.1f}" for name, value in found.quantiles.items()}
    caption = (
        "Stability: the same procedure, trained on another sample of as many subjects, would "
        f"predict {100 * found.mean_absolute_change:.1f} percentage points more or less on "
        f"average. The standard deviation is below {points['50']} points for half of the subjects "
        f"and above {points['90']} points for one in ten. Bars hold 95 % of the predictions of a "
        "group of subjects with similar predictions. From the spread over "
        f"{found.repeats} repeats of cross-fitting, scaled to another sample."
    )
    return charts.stability_chart(found.bins, caption)
