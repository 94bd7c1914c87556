"""Pages: one self-contained, accessible file."""

import itertools
import re
import subprocess
import sys
from typing import Any

import pytest

from pipeline.estimates import Estimate
from pipeline.html import charts
from pipeline.html.blocks import (
    Bullets,
    Cell,
    Column,
    Details,
    Facts,
    Figure,
    Grid,
    KeyFigure,
    KeyFigures,
    Notice,
    Paragraph,
    Table,
)
from pipeline.html.numbers import Suppressed
from pipeline.html.page import Page, Section, render
from pipeline.html.palette import DARK, INK, LIMIT, MUTED, PAPER, SERIES, VARIABLES
from tests.each import each
from tests.html_reading import read_html

CURVE = charts.roc_curve([charts.Curve("model", [0, 0.2, 1], [0, 0.7, 1])], "Ranking")
SITES = Table(
    "AUC by site",
    (Column("Site"), Column("Subjects", "end"), Column("AUC", "end", decimals=2)),
    (
        ("North", 1250, Cell(Estimate(0.61, 0.55, 0.67), "bad")),
        ("South", Suppressed(10), None),
    ),
    ("Sites with fewer than 10 subjects are not shown.",),
)


def page_of(*blocks: Any, sections: Any = ()) -> Any:
    return Page("A trial", "What it says.", sections or (Section("Results", blocks),))


def shown(*blocks: Any, sections: Any = ()) -> Any:
    return read_html(render(page_of(*blocks, sections=sections)))


def test_the_page_has_one_main_heading_which_is_its_title() -> None:
    found = shown(Paragraph("Hello."))

    assert found.one("h1").text == found.one("title").text == "A trial"


def test_headings_go_down_one_level_at_a_time() -> None:
    inner = Section("Inner", (), (Section("Innermost"),))
    found = shown(sections=(Section("First", (), (inner,)), Section("Second")))

    levels = [int(e.tag[1]) for e in found.all() if re.fullmatch(r"h\d", e.tag)]
    assert levels == [1, 2, 3, 4, 2]


def test_landmarks_are_there_and_the_first_link_skips_to_the_content() -> None:
    found = shown(sections=tuple(Section(name) for name in "ABC"))

    assert found.one("header").one("h1")
    assert found.one("nav").attributes["aria-label"] == "Contents"
    assert found.all("a")[0].attributes["href"] == f"#{found.one('main').attributes['id']}"


def test_every_link_of_the_contents_leads_to_its_section() -> None:
    found = shown(sections=(Section("Same"), Section("Same"), Section("§"), Section("Last")))

    targets = [link.attributes["href"].removeprefix("#") for link in found.one("nav").all("a")]
    headings = {heading.attributes["id"]: heading.text for heading in found.all("h2")}
    assert [headings[target] for target in targets] == ["Same", "Same", "§", "Last"]


def test_no_name_is_given_twice_even_with_the_same_chart_twice() -> None:
    found = shown(CURVE, CURVE, SITES, SITES, Grid((CURVE,)), Details("More", (CURVE, SITES)))

    names = [e.attributes["id"] for e in found.all() if "id" in e.attributes]
    assert len(names) == len(set(names))


def test_every_reference_leads_to_a_name() -> None:
    text = render(page_of(CURVE, SITES, CURVE))
    found = read_html(text)

    names = {e.attributes["id"] for e in found.all() if "id" in e.attributes}
    referred = set(re.findall(r'(?:url\(#|href="#)([^")]+)', text))
    referred |= {e.attributes.get("aria-labelledby", "") for e in found.all()} - {""}
    assert referred <= names


def test_text_is_never_taken_for_html() -> None:
    found = shown(
        Paragraph("<b>bold</b> & 'more'"),
        Facts((("<i>", "<script>"),)),
        Table("<u>", (Column("<s>"),), (("<em>",),)),
        Notice("bad", "<q>", items=("<del>",)),
    )

    assert not found.all("b") + found.all("script") + found.all("em") + found.all("del")
    assert "<b>bold</b> & 'more'" in found.one("main").text


def test_a_chart_in_a_page_says_in_words_what_it_shows() -> None:
    figure = Figure('<svg width="10" height="10"></svg>', 'AUC <0.8 in "North"', "AUC by site")

    found = shown(figure)

    image = found.one("svg", role="img")
    (title,) = image.all("title")
    assert image.attributes["aria-labelledby"] == title.attributes["id"]
    assert title.text == 'AUC <0.8 in "North"'
    assert found.one("figcaption").text == "AUC by site"


def test_something_else_than_a_chart_is_refused() -> None:
    with pytest.raises(ValueError, match="<svg>"):
        render(page_of(Figure("<p>no chart</p>", "nothing")))


def test_a_wide_table_scrolls_by_keyboard_in_a_region_that_is_named() -> None:
    region = shown(SITES).one(role="region")

    assert region.attributes["tabindex"] == "0"
    assert region.one("table")
    name = region.attributes["aria-labelledby"]
    assert shown(SITES).one(id=name).text == "AUC by site"


def test_a_table_has_headings_of_columns_and_rows() -> None:
    table = shown(SITES).one("table")

    assert [e.text for e in table.all("th", scope="col")] == ["Site", "Subjects", "AUC"]
    assert [e.text for e in table.all("th", scope="row")] == ["North", "South"]


def test_cells_are_shown_as_numbers_are_shown_everywhere() -> None:
    cells = [cell.text for cell in shown(SITES).one("table").all("td")]

    assert cells == ["1\N{NARROW NO-BREAK SPACE}250", "✗ 0.61 (0.55 to 0.67)", "<10", "–"]


@pytest.mark.parametrize(("tone", "sign"), [("good", "✓"), ("warn", "▲"), ("bad", "✗")])
def test_a_tone_is_shown_by_a_sign_as_well_as_by_a_colour(tone: Any, sign: Any) -> None:
    found = shown(
        Notice(tone, "Look"),
        KeyFigures((KeyFigure("AUC", 0.7, tone=tone),)),
        Table("T", (Column("a"), Column("b")), (("x", Cell(1, tone)),)),
    )

    assert [e.text for e in found.all("span")].count(sign) == 3


def test_lists_facts_and_details_are_what_they_are_called() -> None:
    found = shown(Bullets(("one", "two")), Facts((("seed", 7),)), Details("More", (Bullets("a"),)))

    assert [e.text for e in found.one("main").all("li")] == ["one", "two", "a"]
    assert (found.one("dt").text, found.one("dd").text) == ("seed", "7")
    assert found.one("details").one("summary").text == "More"


def test_the_same_page_gives_the_same_text() -> None:
    first = render(page_of(SITES, CURVE))

    again = charts.roc_curve([charts.Curve("model", [0, 0.2, 1], [0, 0.7, 1])], "Ranking")
    assert render(page_of(SITES, again)) == first


def test_nothing_is_fetched_and_no_script_runs() -> None:
    text = render(page_of(CURVE, SITES))

    assert "<script" not in text
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]+"', text)
    assert "default-src 'none'" in text
    assert "@import" not in text
    assert not re.findall(r"url\((?!#)", text)


def test_a_dark_screen_changes_every_colour_of_a_chart() -> None:
    svg = read_html(render(page_of(CURVE))).one("svg", role="img")

    styles = " ".join(e.attributes.get("style", "") for e in svg.all())
    assert f"var({VARIABLES[SERIES[0]]})" in styles
    assert not any(colour in styles for colour in VARIABLES)
    assert set(DARK) == set(VARIABLES.values())


def test_pages_load_without_a_drawing_library() -> None:
    code = (
        "import sys, pipeline.html.page, pipeline.html.charts as c;"
        "assert 'matplotlib' not in sys.modules and 'numpy' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", code], check=True)


def luminance(colour: Any) -> Any:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Any, other: Any) -> Any:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colour", [INK, MUTED, LIMIT])
def test_text_stands_out_on_light_and_dark_paper(colour: Any) -> None:
    """WCAG 2.2, success criterion 1.4.3."""
    assert contrast(colour, PAPER) >= 4.5
    assert contrast(DARK[VARIABLES[colour]], DARK["--paper"]) >= 4.5


@pytest.mark.parametrize("colour", SERIES)
def test_curves_stand_out_on_light_and_dark_paper(colour: Any) -> None:
    """WCAG 2.2, success criterion 1.4.11."""
    assert contrast(colour, PAPER) >= 3
    assert contrast(DARK[VARIABLES[colour]], DARK["--paper"]) >= 3


def test_tones_stand_out_on_their_backgrounds_on_light_and_dark_paper() -> None:
    text = render(page_of(Paragraph("Hello.")))
    light, dark = (
        dict(re.findall(r"(--[a-z-]+): (#[0-9a-f]{6})", part))
        for part in text.split("color-scheme: light dark;")[1]
        .split("@media print")[0]
        .split("prefers-color-scheme: dark", 1)
    )
    for tones, paper in ((light, PAPER), (dark, DARK["--paper"])):
        for tone in ("good", "warn", "bad"):
            for back in (tones[f"--{tone}-back"], paper):
                assert contrast(tones[f"--{tone}"], back) >= 4.5, (tone, back)


def test_what_is_compared_and_what_is_demanded_differ_without_red_and_green() -> None:
    def seen(colour: Any) -> Any:
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        # Deuteranopia, after Viénot, Brettel and Mollon (1999): one sum of red and green is left.
        return 0.29 * red + 0.71 * green, blue

    for one, other in each(itertools.combinations((*SERIES[:2], LIMIT), 2)):
        distance = sum(abs(a - b) for a, b in zip(seen(one), seen(other), strict=True))
        assert distance > 60, (one, other)
