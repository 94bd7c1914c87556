"""The page of a run: the features that the model uses."""

from __future__ import annotations

from dataclasses import replace

from pipeline.html.blocks import Figure, Paragraph, Table
from pipeline.pages.evaluation.page import run_page
from pipeline.pages.importance import NO_IMPORTANCE
from pipeline.results.importance import Importance
from tests.components.run_page.hand_made_run import USED, result
from tests.components.run_page.test_content import blocks, cells
from tests.each import each


def test_what_the_model_uses_stands_with_each_task() -> None:
    page = run_page(result())
    figures = [item for item in blocks(page, Figure) if "move the predictions" in item.caption]
    tables = [item for item in blocks(page, Table) if "uses together" in item.caption]

    assert len(figures) == 2
    assert all("over 1" in figure.caption for figure in each(figures))
    named = [item for item in blocks(page, Table) if item.caption == "Features with their names"]
    assert [cells(found) for found in tables] == [[["Age (years) and SEX", "0.21"]]] * 2
    assert [[row[:2] for row in cells(found)] for found in named] == [
        [["Age (years)", "AGE"], ["SEX", "SEX"], ["BMI", "BMI"]]
    ] * 2
    assert all("Age (years)" in figure.alternative for figure in each(figures))


def test_means_over_too_few_subjects_are_not_on_the_page() -> None:
    few = Importance.model_validate(
        {"subjects": 49, "paired": 49, "tasks": {"death": USED, "bleed": USED}}
    )
    page = run_page(replace(result(), importance=few))

    captions = [item.caption for item in blocks(page, Figure)]
    assert len(captions) > 2
    assert not [caption for caption in captions if "move the predictions" in caption]
    said = [item.text for item in blocks(page, Paragraph)]
    assert said.count(NO_IMPORTANCE) == 2
