"""Charts as figures of a page, each with a text alternative.

matplotlib is imported when the first chart is drawn.
"""

from pipeline.html.charts.curves import (
    CalibrationCurve,
    Curve,
    calibration_curve,
    predictive_value_curve,
    roc_curve,
)
from pipeline.html.charts.decision import DecisionCurve, decision_curve
from pipeline.html.charts.groups import Bar, ForestRow, bar_chart, forest_plot
from pipeline.html.charts.heat import heat_map
from pipeline.html.charts.referral import referral_chart
from pipeline.html.charts.stability import stability_chart
from pipeline.html.charts.terms import Limit, Measure
from pipeline.html.charts.time import Line, StepCurve, line_chart, step_curves

__all__ = [
    "Bar",
    "CalibrationCurve",
    "Curve",
    "DecisionCurve",
    "ForestRow",
    "Limit",
    "Line",
    "Measure",
    "StepCurve",
    "bar_chart",
    "calibration_curve",
    "decision_curve",
    "forest_plot",
    "heat_map",
    "line_chart",
    "predictive_value_curve",
    "referral_chart",
    "roc_curve",
    "stability_chart",
    "step_curves",
]
