"""What the page of a run tells."""

import re
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from pipeline.html.blocks import (
    Block,
    Cell,
    Details,
    Figure,
    Grid,
    KeyFigures,
    Notice,
    Paragraph,
    Table,
)
from pipeline.html.numbers import Suppressed, text_of
from pipeline.html.page import Page, Section, render
from pipeline.pages.counted_groups import COUNTS_DIFFER
from pipeline.pages.evaluation.page import run_page
from pipeline.pages.evaluation.run_result import RunResult
from pipeline.results.counts import Counts
from pipeline.results.documents import Verdict
from tests.components.run_page.hand_made_run import (
    AUC_AT_LEAST,
    AUC_EVERYWHERE,
    NOT_WORSE,
    compared,
    documents,
    failure,
    result,
)
from tests.each import each


@cache
def plain_page() -> Page:
    """The page of the run that nothing was changed in; its charts are drawn once."""
    return run_page(result())


def all_blocks(blocks: Any) -> Any:
    for block in blocks:
        yield block
        if isinstance(block, Details | Grid):
            yield from all_blocks(block.blocks)


def all_sections(sections: Any) -> Any:
    for section in sections:
        yield section
        yield from all_sections(section.sections)


def blocks(page: Any, kind: type[Block], section: str = "") -> Any:
    return [
        block
        for found in all_sections(page.sections)
        if section in ("", found.title)
        for block in all_blocks(found.blocks)
        if isinstance(block, kind)
    ]


def table(page: Any, caption: Any) -> Any:
    (found,) = (item for item in blocks(page, Table) if item.caption.startswith(caption))
    return found


BY_STUDY = ("study file", "all")


def cells(found: Any) -> Any:
    """Rows of a table as texts."""
    return [
        [
            text_of(value.value if isinstance(value, Cell) else value, column.decimals)
            for value, column in zip(row, found.columns, strict=True)
        ]
        for row in found.rows
    ]


def section_of(page: Any, title: Any) -> Section:
    (found,) = (item for item in all_sections(page.sections) if item.title == title)
    return found


def test_the_page_begins_with_the_decision_and_what_it_rests_on() -> None:
    page = run_page(result(AUC_AT_LEAST))

    assert page.title == "A demonstration trial"
    assert page.lead == (
        "Blessed. All 9 comparisons with thresholds were passed. It was evaluated on "
        "the 400 subjects of the test split, used neither for training nor for calibration."
    )
    assert page.sections[0].title == "Decision"


def test_a_refusal_is_reported_with_each_of_its_reasons() -> None:
    failures = [failure(AUC_AT_LEAST), failure(AUC_EVERYWHERE, group={"sex": "M"})]

    page = run_page(result(AUC_AT_LEAST, AUC_EVERYWHERE, failures=failures))

    (notice,) = blocks(page, Notice, "Decision")
    assert (notice.kind, notice.title) == ("bad", "Refused")
    assert notice.text == "2 of 9 comparisons with thresholds failed."
    assert notice.items == [
        "Dead at 6 months: AUC overall is 0.5, below 0.7",
        "Dead at 6 months: AUC in slice sex=M is 0.5, below 0.6",
    ]


def test_a_reason_of_several_thresholds_is_shown_once() -> None:
    everywhere = AUC_AT_LEAST.model_copy(update={"scope": "every_slice"})
    failures = [failure(AUC_AT_LEAST), failure(everywhere)]

    page = run_page(result(AUC_AT_LEAST, AUC_EVERYWHERE, failures=failures))

    (notice,) = blocks(page, Notice, "Decision")
    assert notice.items == ["Dead at 6 months: AUC overall is 0.5, below 0.7"]


def test_a_blessing_without_demands_is_no_praise() -> None:
    (notice,) = blocks(run_page(result(judged=False)), Notice, "Decision")

    assert (notice.kind, notice.title) == ("warn", "Blessed without comparison")


def test_notes_of_the_verdict_are_reported() -> None:
    page = run_page(result(notes=["No champion: no model has been blessed before."]))

    assert "No champion: no model has been blessed before." in render(page)


def test_every_demand_is_listed_with_its_outcome() -> None:
    page = run_page(
        result(
            AUC_AT_LEAST,
            AUC_EVERYWHERE,
            NOT_WORSE,
            failures=[failure(AUC_EVERYWHERE, group={"sex": "M"})],
            comparisons=[
                compared(0, "passes"),
                compared(0, "not_judged"),
                compared(0, "fails", model="champion"),
                compared(1, "passes"),
                compared(1, "fails"),
                compared(2, "not_judged"),
            ],
        )
    )

    assert cells(table(page, "Thresholds")) == [
        ["AUC: at least 0.7", *BY_STUDY, "all subjects", "passed"],
        ["AUC: at least 0.6", *BY_STUDY, "all subjects and each group", "failed in 1 comparison"],
        [
            "Difference to the champion in AUC: at least −0.02",
            *(*BY_STUDY, "all subjects", "not judged"),
        ],
    ]


def test_a_default_is_listed_as_one_with_its_tasks() -> None:
    page = run_page(
        result(
            AUC_AT_LEAST,
            comparisons=[compared(0, "passes"), compared(1, "passes"), compared(2, "fails")],
            defaults=[
                {"metric": "calibration_in_the_large", "tasks": ["death"], "holds": "overlap"}
                | {"at_least": -0.03, "at_most": 0.03},
                {"metric": "brier", "tasks": ["death"], "at_most": 0, "strict": True}
                | {"holds": "bound", "versus": "base_rate"},
            ],
        )
    )

    assert cells(table(page, "Thresholds"))[1:] == [
        [
            "Mean prediction − observed rate: some of the interval at least −3\u202f% and "
            "at most 3\u202f%",
            *("default", "Dead at 6 months", "all subjects", "passed"),
        ],
        [
            "Difference to the base rate in Brier score: the whole interval below 0",
            *("default", "Dead at 6 months", "all subjects", "failed in 1 comparison"),
        ],
    ]


def test_the_verdict_counts_the_comparisons_that_failed() -> None:
    """Both limits of a threshold are failed for one reason: there is no value."""
    failed = [compared(0, "fails"), compared(0, "fails")]
    page = run_page(result(AUC_AT_LEAST, failures=[failure(AUC_AT_LEAST)], comparisons=failed))

    assert "2 of 9 comparisons with thresholds failed." in render(page)


def test_of_a_run_of_0_1_0_the_outcome_of_a_demand_follows_from_its_reasons() -> None:
    """Its verdict lists what failed, all of it, and the number of comparisons."""
    of_0_1_0 = result(
        AUC_AT_LEAST,
        AUC_EVERYWHERE,
        NOT_WORSE,
        failures=[failure(AUC_EVERYWHERE, group={"sex": "M"})],
        comparisons=9,
    )
    assert of_0_1_0.verdict.comparisons is None
    page = run_page(of_0_1_0)

    assert "1 of 9 comparisons with thresholds failed." in render(page)
    assert cells(table(page, "Thresholds")) == [
        ["AUC: at least 0.7", *BY_STUDY, "all subjects", "passed"],
        ["AUC: at least 0.6", *BY_STUDY, "all subjects and each group", "failed in 1 comparison"],
        [
            "Difference to the champion in AUC: at least −0.02",
            *(*BY_STUDY, "all subjects", "not judged"),
        ],
    ]


def test_each_task_has_its_main_number_on_top() -> None:
    (figures,) = blocks(plain_page(), KeyFigures, "Decision")

    assert [(item.label, item.value, item.detail) for item in figures.figures] == [
        ("AUC, Dead at 6 months", 0.72, "0.660 to 0.780"),
        ("AUC, Any bleed", 0.72, "0.660 to 0.780"),
    ]


def test_performance_has_subjects_events_and_intervals() -> None:
    found = table(plain_page(), "Performance")

    assert cells(found)[0][:4] == [
        "Dead at 6 months",
        "400",
        "80",
        "0.720 (0.660 to 0.780)",
    ]


def test_each_task_has_its_own_section_with_calibration_and_ranking() -> None:
    page = plain_page()

    titles = [section.title for section in page.sections]
    assert titles[2:4] == ["Dead at 6 months", "Any bleed"]
    figures = [
        figure
        for part in page.sections[2].sections
        if part.title != "What the model uses"
        for block in all_blocks(part.blocks)
        if isinstance(block, Figure)
        for figure in [block.alternative.split(";")[0].split(":")[0]]
    ]
    assert figures == [
        "Observed rate by predicted probability",
        "ROC curve",
        "Forest plot of AUC with 95 % intervals. overall 0.720 (0.660 to 0.780), 400 subjects",
        "Forest plot of Mean prediction − observed rate with 95 % intervals. overall "
        "−1.0\N{NARROW NO-BREAK SPACE}% (−4.0 to 2.0), 400 subjects",
    ]


def test_decisions_are_reported_with_rates_and_numbers_of_subjects() -> None:
    page = plain_page()

    (first, _) = (
        item for item in blocks(page, Table) if item.caption.startswith("If a prediction")
    )
    assert [text_of(v, 1, percent=True) for v in first.rows[0][1:4]] == [
        "60.0\N{NARROW NO-BREAK SPACE}% (50.0 to 70.0)",
        "80.0\N{NARROW NO-BREAK SPACE}% (70.0 to 90.0)",
        "–",
    ]
    assert list(first.rows[0][4:]) == [48, 64, 32, 256]


def test_groups_stand_in_the_study_files_order_and_bands_rise() -> None:
    rows = cells(table(plain_page(), "Dead at 6 months, by group"))

    assert [row[0] for row in rows] == [
        "overall",
        "sex F",
        "sex M",
        "age <65",
        "age 65 to <75",
        "age >=75",
    ]


def test_a_group_that_fails_is_marked_where_its_number_stands() -> None:
    page = run_page(result(AUC_EVERYWHERE, failures=[failure(AUC_EVERYWHERE, group={"sex": "M"})]))

    rows = table(page, "Dead at 6 months, by group").rows
    assert [row[0] for row in rows if isinstance(row[3], Cell)] == ["sex M"]
    alternatives = [item.alternative for item in blocks(page, Figure, "By group")]
    assert "M 0.720 (0.660 to 0.780), 180 subjects, fails" in alternatives[0]
    assert alternatives[0].endswith("The dashed line: at least 0.6.")


def test_groups_that_are_not_shown_are_counted_and_never_named() -> None:
    page = plain_page()

    told = [item.text for item in blocks(page, Paragraph, "By group")]
    assert told == ["Not shown: 1 group with too few subjects or none."] * 2
    assert ">=85" not in render(page).replace("&gt;", ">")


def test_challenger_and_champion_are_compared() -> None:
    page = run_page(result(NOT_WORSE, champion=True))

    found = table(page, "Compared with the champion")
    assert cells(found)[0][:2] == ["Dead at 6 months", "0.720 (0.660 to 0.780)"]
    (roc,) = (
        figure
        for figure in blocks(page, Figure, "All subjects")[:2]
        if figure.alternative.startswith("ROC curve")
    )
    assert "challenger, AUC 0.720; champion, AUC 0.720" in roc.alternative


def test_without_a_champion_nothing_is_compared() -> None:
    assert not [
        item for item in each(blocks(plain_page(), Table)) if item.caption.startswith("Compared")
    ]


def test_tasks_are_set_side_by_side_for_each_group() -> None:
    page = plain_page()

    first, second = blocks(page, Figure, "Groups side by side")
    assert "sex F: Dead at 6 months 0.72, Any bleed 0.72" in first.alternative
    assert second.alternative.startswith("Mean prediction − observed rate")


def test_objections_of_the_gate_are_reported_before_its_other_measurements() -> None:
    findings = [
        {"rule": "drift", "severity": "warn", "message": "AGE has drifted"},
        {"rule": "leakage", "severity": "ok", "message": "no feature gives death away"},
    ]

    page = run_page(result(findings=findings))

    (notice,) = blocks(page, Notice, "Data")
    assert (notice.kind, notice.items) == ("warn", ["drift: AGE has drifted"])
    (details,) = blocks(page, Details, "Data")
    assert details.summary == "1 other measurement"
    assert cells(details.blocks[0]) == [["leakage", "ok", "no feature gives death away"]]


def test_a_gate_without_objections_says_so() -> None:
    (notice,) = blocks(plain_page(), Notice, "Data")

    assert (notice.kind, notice.title) == ("good", "The data gate had no objections")


def test_subjects_and_rows_are_counted() -> None:
    page = plain_page()

    thin = "\N{NARROW NO-BREAK SPACE}"
    assert cells(table(page, "Subjects by split"))[0] == [
        "All subjects",
        f"1{thin}200",
        "400",
        "400",
    ]
    assert cells(table(page, "Rows by dataset")) == [["dm", f"2{thin}010", f"2{thin}000", "7", "3"]]


def test_a_task_with_too_few_subjects_says_so_and_has_no_numbers() -> None:
    whole = result()
    kept = [record for record in whole.metrics.records if record.task != "bleed"]
    metrics = whole.metrics.model_copy(update={"records": tuple(kept)})

    page = run_page(whole.__class__(**{**vars_of(whole), "metrics": metrics}))

    section = section_of(page, "Any bleed")
    assert [block.text for block in section.blocks] == [  # type: ignore[union-attr]
        "Fewer than 50 subjects of the test split have a known outcome."
    ]
    assert cells(table(page, "Performance"))[1] == ["Any bleed", "<50", "<50", *["–"] * 4]


def vars_of(whole: Any) -> Any:
    return {name: getattr(whole, name) for name in whole.__dataclass_fields__}


@pytest.mark.parametrize("changes", [{}, {"champion": True}, {"judged": False}])
def test_every_page_is_rendered(changes: Any) -> None:
    text = render(run_page(result(**changes)))

    assert not re.search(r"\bNone\b|\bnan\b", text)


@pytest.mark.parametrize(("masked", "notes"), [({}, 0), ({"rejected row": 3}, 1)])
def test_the_page_says_how_groups_are_counted_where_labels_are_unknown(
    masked: dict[str, int], notes: int
) -> None:
    labels = {"train": {"known": 1997, "positives": 80, "masked": masked}}
    counts = result().counts.model_dump() | {"tasks": dict.fromkeys(("death", "bleed"), labels)}

    page = run_page(replace(result(), counts=Counts.model_validate(counts)))

    assert len(table(page, "Dead at 6 months, by group").notes) == notes
    assert (COUNTS_DIFFER in render(page)) == bool(notes)


def with_follow_up(censored: int) -> RunResult:
    """A run whose follow-up of death ended early for some subjects with drug B, of two arms."""
    arm = {
        "subjects": 400,
        "events": 40,
        "competing": 0,
        "complete": 300,
        "censored": 60,
        "risk": {"value": 0.1111, "lower": 0.08, "upper": 0.15},
        "naive": 0.1176,
        "weighted": 0.1111,
        "observed": 0.8,
        "largest_weight": 1.25,
        "truncated": 0,
        "effective": 333.0,
    }
    task = {"horizon": 90, "arms": {"A": arm, "B": {**arm, "censored": censored}}}
    counts = documents()["counts.json"] | {"censoring": {"death": task}}
    risks = [
        {
            "task": "death",
            "arm": name,
            "mean_prediction": {"value": value, "lower": None, "upper": None},
            "outcome": outcome,
            "reason": reason,
        }
        for name, value, outcome, reason in (
            ("A", 0.12, "passes", "within_interval"),
            ("B", 0.2, "fails", "outside_interval"),
        )
    ]
    verdict = documents()["verdict.json"] | {"risks": risks}
    return replace(
        result(),
        counts=Counts.model_validate(counts),
        verdict=Verdict.model_validate(verdict),
    )


def test_risks_by_the_horizon_stand_beside_mean_predictions() -> None:
    found = table(run_page(with_follow_up(60)), "Risk by the horizon")

    assert [row[:2] for row in cells(found)] == [
        ["Dead at 6 months", "A"],
        ["Dead at 6 months", "B"],
    ]
    assert [row[3] for row in cells(found)] == ["0.1 (0.1 to 0.1)"] * 2
    assert [row[4:6] for row in found.rows] == [
        (0.12, Cell("yes", "good")),
        (0.2, Cell("no", "warn")),
    ]
    assert [row[6:] for row in cells(found)] == [["330", "1.2"]] * 2


def test_risks_from_which_few_censored_subjects_follow_are_not_on_the_page() -> None:
    found = table(run_page(with_follow_up(3)), "Risk by the horizon")

    hidden = [isinstance(value, Suppressed) for value in found.rows[1]]
    assert hidden == [False, False, True, True, False, False, True, True]


def test_complete_follow_up_has_no_table_of_risks() -> None:
    captions = [item.caption for item in blocks(plain_page(), Table)]

    assert len(captions) > 5
    assert not [caption for caption in captions if caption.startswith("Risk by the horizon")]
