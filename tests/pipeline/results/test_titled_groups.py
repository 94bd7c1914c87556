"""Where people read of groups, these have the titles of slicings."""

from __future__ import annotations

import re

from pipeline.html.page import render
from pipeline.pages.evaluation.page import run_page
from pipeline.results.evaluation_plan import EvaluationPlan
from pipeline.results.fairness import gaps
from pipeline.results.task_verdicts import TaskVerdict
from pipeline.results.titled_groups import with_titles
from pipeline.titles import NAMES
from tests.components.run_page.hand_made_run import AUC_EVERYWHERE, failure, result
from tests.each import each

TITLES = {"sex": "Gender", "age": "Years"}


def words(page: str) -> str:
    """The text of a page, without its marks, styles and programs."""
    return re.sub(r"(?s)<(style|script).*?</\1>|<[^>]*>", " ", page)


def test_no_slicing_with_a_title_stands_by_its_name_on_the_page_of_a_run() -> None:
    found = result(AUC_EVERYWHERE, failures=[failure(AUC_EVERYWHERE, group={"sex": "M"})])
    settings = found.settings.model_copy(update={"slicing_titles": TITLES})
    found = type(found)(**{**vars(found), "settings": settings})

    before, after = (words(render(run_page(each_of))) for each_of in (found, found.titled))
    for name, title in each(TITLES.items()):
        assert re.search(rf"\b{name}\b", before), name
        assert re.search(rf"\b{title}\b", after), title
        assert not re.search(rf"\b{name}\b", after), name


def test_a_reason_has_the_title() -> None:
    verdict = result(AUC_EVERYWHERE, failures=[failure(AUC_EVERYWHERE, group={"sex": "M"})]).verdict
    (reason,) = with_titles(verdict, TITLES).reasons
    assert reason.slice == {"Gender": "M"}
    assert "in slice Gender=M" in reason.text(NAMES)


def test_a_reason_of_a_task_has_the_title() -> None:
    """Pages show the reasons by task."""
    verdict = result(AUC_EVERYWHERE, failures=[failure(AUC_EVERYWHERE, group={"sex": "M"})]).verdict
    refused = TaskVerdict(verdict="refused", reasons=verdict.reasons)

    found = with_titles(verdict.model_copy(update={"tasks": {"death": refused}}), TITLES)

    assert "in slice Gender=M" in found.tasks["death"].reasons[0].text(NAMES)
    assert len(found.reason_texts(NAMES)) == 1


def test_the_largest_gap_has_the_title() -> None:
    records = result().metrics.records
    titled = [with_titles(gap, TITLES) for gap in gaps(records)]
    assert {gap.slicing for gap in each(titled)} <= {("Gender",), ("Years",), ("Gender", "Years")}
    for gap in each(titled):
        assert gap.lowest.startswith(("Gender ", "Years "))
        assert gap.highest.startswith(("Gender ", "Years "))


def test_what_forms_the_groups_that_are_left_out_has_the_title() -> None:
    plan = EvaluationPlan(scheme="internal_external", requested="auto", by="age")
    assert with_titles(plan, TITLES).by == "Years"


def test_without_titles_the_document_stays() -> None:
    metrics = result().metrics
    assert with_titles(metrics, {}) is metrics
