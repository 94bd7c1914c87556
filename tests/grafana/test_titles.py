"""Boards show tasks and slicings by the titles that they have in the study file."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from grafana.page.write_boards import write_boards
from grafana.queries import model_quality, variables
from pipeline.store import models
from pipeline.store.engine import store_engine
from pipeline.store.exported_study import ExportedStudy
from pipeline.store.title_rows import title_rows
from pipeline.store.writer import export
from tests.each import each
from tests.grafana.grafana_files import BOARDS, board, panels, queries
from tests.html_reading import read_html
from tests.pipeline.store.store_runs import study

pytestmark = pytest.mark.usefixtures("filled")

NAMES = {"death", "sex"}


@pytest.fixture
def titled(sqlite: Any, request: pytest.FixtureRequest) -> None:
    """Of the runs with results the slicing has a title, too; the task has one in any case."""
    request.getfixturevalue("filled")
    of_slicing = {"kind": "slicing", "name": "sex", "title": "Sex of the subject"}
    export(sqlite, {models.Title: [of_slicing | {"run": run} for run in ("r1", "r2", "v1", "m1")]})


def read(rows: Any) -> set[str]:
    """All texts that people see in rows; a variable's value is not shown."""
    return {
        value
        for row in rows
        for column, value in row.items()
        if isinstance(value, str) and column != "__value"
    }


@pytest.mark.usefixtures("titled")
def test_no_query_shows_the_name_of_what_has_a_title(ask: Any) -> None:
    shown: set[str] = set()
    for name, query in each(queries().items()):
        texts = read(ask(query))
        assert not texts & NAMES, name
        shown |= texts
    assert {"Death", "Sex of the subject"} <= shown


def test_what_is_chosen_is_the_name_and_what_is_read_the_title(ask: Any) -> None:
    assert ask(variables.TASKS) == [{"__value": "death", "__text": "Death"}]


def test_a_study_is_chosen_by_the_title_of_its_newest_run_and_known_by_its_name(
    sqlite: Any, ask: Any
) -> None:
    chosen = [{"__value": "hand", "__text": "A trial made by hand"}]
    assert ask(variables.STUDIES) == chosen
    with store_engine(sqlite) as engine, engine.begin() as connection:
        former = "UPDATE titles SET title = 'A former title' WHERE run = 'r1' AND kind = 'study'"
        connection.execute(text(former))

    assert ask(variables.STUDIES) == chosen


def test_studies_with_the_same_title_are_distinguished_by_their_names(
    sqlite: Any, ask: Any
) -> None:
    with store_engine(sqlite) as engine, engine.begin() as connection:
        connection.execute(text("UPDATE runs SET study = 'other' WHERE run = 'r1'"))
        renamed = "UPDATE titles SET name = 'other' WHERE run = 'r1' AND kind = 'study'"
        connection.execute(text(renamed))

    assert {row["__value"]: row["__text"] for row in ask(variables.STUDIES)} == {
        "hand": "A trial made by hand [hand]",
        "other": "A trial made by hand [other]",
    }


def test_a_run_without_titles_shows_names(sqlite: Any, ask: Any) -> None:
    with store_engine(sqlite) as engine, engine.begin() as connection:
        connection.execute(text("DELETE FROM titles"))

    assert ask(variables.TASKS) == [{"__value": "death", "__text": "death"}]
    assert ask(variables.STUDIES) == [{"__value": "hand", "__text": "hand"}]
    assert {row["task"] for row in ask(model_quality.OVERVIEW)} == {"death"}


def test_titles_are_those_of_the_run_that_is_shown(sqlite: Any, ask: Any) -> None:
    with store_engine(sqlite) as engine, engine.begin() as connection:
        connection.execute(text("UPDATE titles SET title = 'Died' WHERE run = 'r1'"))

    found = {run: ask(model_quality.OVERVIEW, run=run)[0]["task"] for run in ("r1", "r2")}
    assert found == {"r1": "Died", "r2": "Death"}


def test_a_panel_whose_heading_has_a_choice_shows_its_title() -> None:
    headings = [panel["title"] for uid in BOARDS for panel in panels(uid) if "title" in panel]
    assert any("${slicing:text}" in heading for heading in headings)
    for heading in each(headings):
        assert "$slicing" not in heading
        assert "$task" not in heading


def test_a_variable_with_titles_names_both_as_grafana_expects() -> None:
    """With the columns `__text` and `__value` Grafana shows one and puts in the other."""
    chosen = {item["name"]: item for item in board(BOARDS[0])["templating"]["list"]}
    for name in ("study", "task", "slicing"):
        assert '"__text"' in chosen[name]["query"]
        assert '"__value"' in chosen[name]["query"]


@pytest.mark.usefixtures("titled")
def test_the_page_of_the_boards_has_titles(sqlite: Any, tmp_path: Any) -> None:
    write_boards(sqlite, tmp_path / "boards.html")
    page = read_html((tmp_path / "boards.html").read_text())

    headings = {item.text for tag in ("h2", "h3", "h4") for item in page.all(tag)}
    assert "Death" in headings
    assert "death" not in headings
    assert any("Sex of the subject" in item.text for item in page.all("svg"))


def test_tasks_with_the_same_title_are_distinguished_by_their_names() -> None:
    """Grafana would offer one of two choices with the same text."""
    content = study().to_content()
    content["tasks"]["relapse"] = content["tasks"]["death"]
    rows = title_rows("r1", ExportedStudy.of(type(study()).model_validate(content)))
    found = {row["name"]: row["title"] for row in rows if row["kind"] == "task"}
    assert found == {"death": "Death [death]", "relapse": "Death [relapse]"}
