"""Charts: small, deterministic, and told in words."""

import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from pipeline.estimates import Estimate
from pipeline.html import charts
from pipeline.html.blocks import Figure
from pipeline.html.charts import Measure
from pipeline.html.charts.drawing import text_width
from pipeline.html.numbers import Suppressed
from tests.pipeline.html.hand_made_charts import ALL, AUC, calibration, forest, heat, steps

SVG = "{http://www.w3.org/2000/svg}"


def texts(figure: Any) -> Any:
    return [e.text for e in ET.fromstring(figure.svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("draw", ALL)
def test_a_chart_is_one_svg_element_of_its_own_size(draw: Any) -> None:
    root = ET.fromstring(draw().svg)

    assert root.tag == f"{SVG}svg"
    assert float(root.get("width")) > 100  # type: ignore[arg-type]
    assert root.get("viewBox").split()[2:] == [root.get("width"), root.get("height")]  # type: ignore[union-attr]


@pytest.mark.parametrize("draw", ALL)
def test_the_same_chart_gives_the_same_text(draw: Any) -> None:
    assert draw().svg == draw().svg


@pytest.mark.parametrize("draw", ALL)
def test_text_stays_text_and_nothing_is_a_picture(draw: Any) -> None:
    svg = draw().svg

    assert "<text" in svg
    assert "<image" not in svg


@pytest.mark.parametrize("draw", ALL)
def test_a_chart_has_no_style_of_its_own(draw: Any) -> None:
    assert "<style" not in draw().svg
    assert "<metadata" not in draw().svg


@pytest.mark.parametrize("draw", ALL)
def test_a_chart_is_small(draw: Any) -> None:
    assert len(draw().svg) < 30_000


@pytest.mark.parametrize("draw", ALL)
def test_a_chart_says_in_words_what_it_shows(draw: Any) -> None:
    assert len(draw().alternative.split()) > 5


def test_a_forest_plot_has_group_number_and_size_in_each_line() -> None:
    assert {"sex", "F", "M", "0.70 (0.60 to 0.80)", "300", "at least 0.65"} <= set(texts(forest()))


def test_a_forest_plot_in_words_lists_groups_and_what_is_demanded() -> None:
    assert forest().alternative == (
        "Forest plot of AUC with 95 % intervals. F 0.70 (0.60 to 0.80), 300 subjects; "
        "M 0.70 (0.60 to 0.80), 300 subjects. The dashed line: at least 0.65."
    )


def test_a_group_that_fails_is_marked_in_words_too() -> None:
    rows = [charts.ForestRow("F", Estimate(0.5, 0.4, 0.6), 90, "bad")]

    assert "F 0.50 (0.40 to 0.60), 90 subjects, fails" in charts.forest_plot(rows, AUC).alternative


def test_a_group_without_a_number_keeps_its_line() -> None:
    rows = [
        charts.ForestRow("F", Estimate(0.6, 0.5, 0.7), 300),
        charts.ForestRow("M", Estimate(None), Suppressed(10)),
    ]

    assert {"M", "–", "<10"} <= set(texts(charts.forest_plot(rows, AUC)))


def test_ratios_have_a_logarithmic_axis() -> None:
    rows = [charts.ForestRow("F", Estimate(1.0, 0.5, 2.0)), charts.ForestRow("M", Estimate(4.0))]
    plain, ratios = (
        charts.forest_plot(rows, Measure("hazard ratio"), logarithmic=scale)
        for scale in (False, True)
    )

    def places(figure: Any) -> Any:
        markers = re.findall(r'<use [^>]*x="([0-9.]+)"[^>]*fill', figure.svg)
        return [float(place) for place in markers]

    assert places(plain) != places(ratios)


def test_a_long_list_of_groups_is_summed_up_in_words() -> None:
    rows = [charts.ForestRow(f"site {n}", Estimate(0.7, 0.6, 0.8)) for n in range(40)]

    assert "and 28 more." in charts.forest_plot(rows, AUC).alternative


def test_a_calibration_curve_in_words_has_each_bin() -> None:
    assert (
        "predicted 10.0\N{NARROW NO-BREAK SPACE}%, observed 12.0\N{NARROW NO-BREAK SPACE}% "
        "(7.0 to 17.0), 120 subjects"
    ) in calibration().alternative


def test_suppressed_cells_of_a_heat_map_say_so() -> None:
    assert {"<10", "–", "0.80"} <= set(texts(heat()))


def test_the_numbers_at_risk_stand_below_their_times() -> None:
    assert {"at risk", "80", "<10"} <= set(texts(steps()))


def test_a_dollar_sign_in_a_label_is_a_dollar_sign() -> None:
    rows = [charts.ForestRow("$x$ & <y>", Estimate(0.7, 0.6, 0.8))]

    assert "$x$ & <y>" in texts(charts.forest_plot(rows, AUC))


@pytest.mark.parametrize(
    "figure",
    [
        lambda: charts.forest_plot([], AUC),
        lambda: charts.bar_chart([], AUC),
        lambda: charts.calibration_curve([]),
        lambda: charts.roc_curve([]),
        lambda: charts.line_chart([], [], AUC),
        lambda: charts.heat_map([], [], [], AUC),
        lambda: charts.step_curves([], AUC, "days"),
    ],
)
def test_nothing_to_show_is_a_chart_too(figure: Any) -> None:
    assert "Nothing to show." in figure().alternative or "Observed rate" in figure().alternative


def test_no_more_is_compared_than_there_are_colours() -> None:
    curves = [charts.Curve(str(n), [0, 1], [0, 1]) for n in range(6)]

    with pytest.raises(ValueError, match="at most 5 things, not 6"):
        charts.roc_curve(curves)


def test_long_names_in_a_legend_make_the_chart_higher_not_wider() -> None:
    def sizes(name: Any) -> Any:
        curves = [charts.Curve(f"{name} {n}", [0, 1], [0, 1]) for n in range(4)]
        root = ET.fromstring(charts.roc_curve(curves).svg)
        return float(root.get("width")), float(root.get("height"))  # type: ignore[arg-type]

    (width, low), (same_width, high) = sizes("a"), sizes("a rather long name of a model")
    assert width == same_width
    assert high > low


def test_capitals_get_more_room() -> None:
    assert text_width(["AMERICAN"]) > text_width(["american"]) > text_width(["asian"])


def test_no_text_needs_no_room() -> None:
    assert text_width([]) == 0


def end_of_the_curve(figure: Figure) -> float:
    """Rightmost place of the curve's own line, in pixels: the only line of several steps."""
    (path,) = (
        path
        for path in re.findall(r'<path d="(M [^"]+)"', figure.svg)
        if path.count("L") > 1 and "z" not in path
    )
    return max(float(x) for x in re.findall(r"[ML] ([0-9.]+)", path))


def test_a_step_curve_is_drawn_to_its_end_and_not_to_its_last_step() -> None:
    values = [Estimate(1.0, 1.0, 1.0), Estimate(0.7, 0.6, 0.8)]
    at_risk = [(0.0, 80), (50.0, 60), (100.0, 40)]

    def drawn(ends: float | None) -> Figure:
        curve = charts.StepCurve("Placebo", [0.0, 30.0], values, at_risk, ends)
        return charts.step_curves([curve], AUC, "days")

    at_its_last_step, at_its_end = (end_of_the_curve(drawn(ends)) for ends in (None, 100.0))
    assert at_its_end > 2 * at_its_last_step


def test_every_labelled_time_has_its_numbers_at_risk() -> None:
    values = [Estimate(1.0, 1.0, 1.0), Estimate(0.7, 0.6, 0.8)]
    curve = charts.StepCurve("A", [0.0, 30.0], values, [(0.0, 81), (40.0, 62), (80.0, 43)], 90.0)
    shown = texts(charts.step_curves([curve], AUC, "days"))
    labels = [text for text in shown if text in {"0", "20", "40", "60", "80", "100"}]
    assert labels == ["0", "40", "80"]
    assert {"81", "62", "43"} <= set(shown)
