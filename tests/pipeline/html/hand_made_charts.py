"""A chart of each kind, made by hand."""

from typing import Any

from pipeline.estimates import Estimate
from pipeline.html import charts
from pipeline.html.charts import Limit, Measure
from pipeline.html.numbers import Suppressed
from pipeline.results.clinical_curves import DecisionPoint, SmoothPoint
from pipeline.results.curve_points import CalibrationBin
from pipeline.results.referral import ReferralPoint
from pipeline.results.stability import SpreadBin

AUC = Measure("AUC", decimals=2)


def forest() -> Any:
    rows = ["sex", *(charts.ForestRow(n, Estimate(0.7, 0.6, 0.8), 300) for n in ("F", "M"))]
    return charts.forest_plot(rows, AUC, "By sex", reference=0.72, limit=Limit(0.65, "at least"))  # type: ignore[arg-type]


def bars() -> Any:
    found = [charts.Bar("AGE", Estimate(0.08)), charts.Bar("SEX", Estimate(0.2, 0.1, 0.3), "bad")]
    return charts.bar_chart(found, Measure("drift"), limit=Limit(0.1, "at most"))


def calibration() -> Any:
    bins = [
        CalibrationBin(
            mean_prediction=p,
            observed_rate=p + 0.02,
            lower=p - 0.03,
            upper=p + 0.07,
            subjects=120,
        )
        for p in (0.1, 0.3, 0.6)
    ]
    return charts.calibration_curve([charts.CalibrationCurve("challenger", bins)])


def smooth_calibration() -> Any:
    bins = [
        CalibrationBin(mean_prediction=p, observed_rate=p, lower=p / 2, upper=p + 0.1, subjects=90)
        for p in (0.1, 0.3, 0.6)
    ]
    smooth = [
        SmoothPoint(prediction=p, observed_rate=p + 0.01, lower=p - 0.03, upper=p + 0.05)
        for p in (0.1, 0.2, 0.4, 0.6)
    ]
    return charts.calibration_curve([charts.CalibrationCurve("challenger", bins, smooth)])


def decision() -> Any:
    points = [
        DecisionPoint(
            threshold=t,
            net_benefit=0.18 - t / 2,
            lower=None if t > 0.3 else 0.15 - t / 2,
            upper=None if t > 0.3 else 0.21 - t / 2,
            treat_all=0.2 - 0.8 * t / (1 - t),
            over_all=t,
            over_all_lower=t / 2,
            over_all_upper=2 * t,
        )
        for t in (0.05, 0.1, 0.2, 0.4)
    ]
    curves = [charts.DecisionCurve(name, points) for name in ("challenger", "champion")]
    return charts.decision_curve(curves, 0.2)


def stability() -> Any:
    bins = [
        SpreadBin(mean_prediction=p, spread=p / 4 + 0.01, subjects=90) for p in (0.05, 0.2, 0.5)
    ]
    return charts.stability_chart(bins, "Stability")


def referral() -> Any:
    points = [
        ReferralPoint(
            referred=share, subjects=400, widest=0.2, observed_rate=0.2 - share / 5, brier=0.12
        )
        for share in (0.0, 0.25, 0.5)
    ]
    return charts.referral_chart(points)


def roc() -> Any:
    return charts.roc_curve([charts.Curve(n, [0, 0.1, 1], [0, 0.6, 1]) for n in ("new", "old")])


def predictive_value() -> Any:
    return charts.predictive_value_curve([charts.Curve("new", [0, 1], [0.9, 0.2])], 0.2)


def heat() -> Any:
    cells = [[0.8, 0.6], [None, Suppressed(10)]]
    return charts.heat_map(["F", "M"], ["death", "bleed"], cells, AUC)  # type: ignore[arg-type]


def two_coloured_heat() -> Any:
    return charts.heat_map(["F"], ["death", "bleed"], [[-0.1, 0.3]], AUC, centre=0.0)


def lines() -> Any:
    points = [Estimate(0.7, 0.6, 0.8), None, Estimate(0.75, 0.7, 0.8)]
    found = [charts.Line("challenger", points), charts.Line("champion", points)]
    return charts.line_chart(found, ["May", "June", "July"], AUC, limit=Limit(0.65, "at least"))


def steps() -> Any:
    values = [Estimate(1.0, 1.0, 1.0), Estimate(0.9, 0.8, 0.95), Estimate(0.7, 0.6, 0.8)]
    curve = charts.StepCurve("Placebo", [0, 30, 60], values, [(0, 80), (60, Suppressed(10))], 90)
    return charts.step_curves([curve], Measure("event-free", 0, percent=True), "days")


ALL = [
    forest,
    bars,
    calibration,
    smooth_calibration,
    decision,
    stability,
    referral,
    roc,
    predictive_value,
    heat,
    two_coloured_heat,
    lines,
    steps,
]
