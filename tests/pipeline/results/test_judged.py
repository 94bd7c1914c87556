"""Reasons and notes of a verdict as data: the same text in every view, with the study's titles."""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from components.run_page.kubeflow_outputs import summary_markdown
from pipeline.html.page import render
from pipeline.pages.card import card_page
from pipeline.pages.evaluation.page import run_page
from pipeline.pages.evaluation.run_result import RunResult
from pipeline.pages.report import report_page
from pipeline.results.card import make_card
from pipeline.results.documents import Verdict
from pipeline.results.judged import Judged
from pipeline.results.outcomes import OUTCOMES
from pipeline.runners.local.result import show_result
from pipeline.store.exported_study import ExportedStudy
from pipeline.store.rows import evaluation_rows
from pipeline.study.settings import TaskTitle
from pipeline.study.study import Study
from pipeline.titles import NAMES, Titles
from tests.components.model_card.test_executor import evidence
from tests.components.run_page.hand_made_run import result, write
from tests.each import each
from tests.pipeline.results.every_reason import COMPARISONS, NOTES, judged
from tests.pipeline.store.store_runs import study as store_study

EVERY = (*COMPARISONS, *NOTES)
TITLES = {"death": "dead or bleed", "bleed": "death (auc below 0.5)"}
"""Each title has the name of the other task, or of what else a text may name."""

PARTS = ["dead", "dependent", "auc", "AUC", ":", "sex", "=", "slice", "or"]


def verdict(*told: Judged) -> Verdict:
    """A verdict with these reasons and notes, on tasks that are refused or not judged."""
    of_tasks: dict[str, Any] = {}
    notes = []
    for item in told:
        content = item.model_dump(mode="json", exclude_defaults=True)
        if item.reason in OUTCOMES or item.reason == "nothing_demanded":
            fails = item.reason in ("beyond_limit", "no_value")
            found = of_tasks.setdefault(item.task, {"verdict": "not_judged", "reasons": []})
            found["verdict"] = "refused" if fails else found["verdict"]
            found["reasons"].append(content)
        else:
            notes.append(content)
    empty: dict[str, Any] = {"comparisons": [], "reasons": [], "not_judged": []}
    made = {"blessed": False, "judged": True, "compared": 3, "tasks": of_tasks, "notes": notes}
    return Verdict.model_validate_json(json.dumps(empty | made))


def run_of(found: Verdict, titles: dict[str, str]) -> RunResult:
    made = result()
    tasks = {name: TaskTitle(title=title, kind="outcome") for name, title in titles.items()}
    settings = made.settings.model_copy(update={"tasks": tasks})
    return replace(made, verdict=found, settings=settings).titled


def titled_study(titles: dict[str, str]) -> Study:
    content = store_study().to_content()
    content["tasks"] = {
        name: content["tasks"]["death"] | {"title": title} for name, title in titles.items()
    }
    content["thresholds"] = []
    return Study.model_validate(content)


def page(found: Verdict, titles: dict[str, str]) -> str:
    return _words(render(run_page(run_of(found, titles))))


def markdown(found: Verdict, titles: dict[str, str]) -> str:
    return summary_markdown(run_of(found, titles)).replace("\\", "")


def terminal(found: Verdict, titles: dict[str, str]) -> str:
    console = Console(file=io.StringIO(), force_terminal=False, width=80, highlight=False)
    with TemporaryDirectory() as folder:
        write(Path(folder))
        show_result(console, found, {"metrics": Path(folder, "metrics.json")}, Titles(titles))
    return console.file.getvalue()  # type: ignore[attr-defined]


def card(found: Verdict, titles: dict[str, str]) -> str:
    made = make_card(titled_study(titles), evidence(verdict=found))
    return _words(render(card_page(made)))


def report(found: Verdict, titles: dict[str, str]) -> str:
    made = make_card(titled_study(titles), evidence(verdict=found))
    return _words(render(report_page(made, None, "r1")))


def store(found: Verdict, titles: dict[str, str]) -> str:
    made = result()
    study = ExportedStudy.of(titled_study(titles))
    rows = evaluation_rows("r1", study, made.metrics, found, made.curves, made.registration)
    return json.dumps([row for of_table in rows.values() for row in of_table], ensure_ascii=False)


def _words(page: str) -> str:
    """A page with backticks where it marks code."""
    return html.unescape(re.sub("</?code>", "`", page))


VIEWS: dict[str, Callable[[Verdict, dict[str, str]], str]] = {
    "page": page,
    "summary": markdown,
    "terminal": terminal,
    "card": card,
    "report": report,
    "store": store,
}


@pytest.mark.parametrize("view", VIEWS)
def test_every_reason_and_note_stands_in_every_view_with_titles(view: str) -> None:
    told = [judged(reason, task) for reason in EVERY for task in TITLES]
    # The store has the reasons of tasks; notes are the views' of one run.
    notes = () if view == "store" else NOTES
    said = {"nothing_demanded", *COMPARISONS, *notes}
    shown = VIEWS[view](verdict(*told), TITLES)
    # In a row of its own the task's title stands before the reason.
    titles = NAMES if view in ("card", "report") else Titles(TITLES)
    for item in each([item for item in told if item.reason in said]):
        text = item.text_without_task(titles) if titles is NAMES else item.text(titles)
        assert text in shown, item.reason


@given(
    reason=st.sampled_from(EVERY),
    task=st.sampled_from(["dead", "dependent", "auc"]),
    titles=st.fixed_dictionaries(
        {
            name: st.lists(
                st.sampled_from(
                    ["dead", "dependent", "auc", "AUC", ":", "sex", "=", "slice", "or"]
                ),
                min_size=1,
                max_size=4,
            ).map(" ".join)
            for name in ("dead", "dependent", "auc", "sex")
        }
    ),
)
def test_titles_that_have_other_names_in_them_garble_nothing(
    reason: str, task: str, titles: dict[str, str]
) -> None:
    """Written with marks that no text has in place of titles, only the marks are exchanged."""
    item = judged(reason, task, {"sex": "F or dead"})
    marks = {name: chr(0xE000 + place) for place, name in enumerate(titles)}

    def text(known: dict[str, str]) -> str:
        return item.text(Titles(known, {"sex": known["sex"]}))

    expected = "".join(
        {mark: titles[name] for name, mark in marks.items()}.get(letter, letter)
        for letter in text(marks)
    )
    assert text(titles) == expected
    assert bool(expected) == (reason != "within_limit")


def test_a_text_names_the_task_by_its_title_and_the_group_by_that_of_the_slicing() -> None:
    item = judged("beyond_limit", "death", {"sex": "F"})
    titles = Titles({"death": "Death by day 90"}, {"sex": "Gender"})
    assert item.text(titles) == (
        "Death by day 90: AUC in slice Gender=F is 0.61 (0.55 to 0.67), below 0.65"
    )
    assert (
        item.text_without_task(titles) == "AUC in slice Gender=F is 0.61 (0.55 to 0.67), below 0.65"
    )


def test_a_difference_that_rounds_to_nothing_has_no_sign() -> None:
    estimate = {"value": -0.0001, "lower": -0.02, "upper": 0.02}
    assert "(difference 0.000, 95" in judged("simpler_model", "death", estimate=estimate).text(
        NAMES
    )
    exact = {"value": -0.0, "lower": None, "upper": None}
    assert "is 0, below" in judged("beyond_limit", "death", estimate=exact).text(NAMES)


@pytest.mark.parametrize("view", [view for view in VIEWS if view != "store"])
def test_finished_sentences_of_earlier_versions_are_shown_as_they_are(view: str) -> None:
    """Also what looks like the name of a task that has a title."""
    sentences = ["death: auc overall is 0.61, below 0.65", "death: one tree predicts as well."]
    content = verdict().model_dump() | {
        "tasks": {"death": {"verdict": "refused", "reasons": sentences[:1]}},
        "notes": sentences[1:],
        "looks": {"tried": 3},
    }
    shown = VIEWS[view](Verdict.model_validate(content), TITLES)
    for sentence in sentences:
        assert sentence in shown
        assert sentence.replace("death", TITLES["death"]) not in shown
    assert "evaluated with other settings" not in shown


def test_looks_and_risks_are_shown_beside_the_notes() -> None:
    risk = {
        "task": "death",
        "arm": "A",
        "risk": {"value": 0.1, "lower": 0.08, "upper": 0.13},
        "mean_prediction": {"value": 0.07, "lower": None, "upper": None},
        "is_too_high": False,
        "outcome": "fails",
        "reason": "outside_interval",
    }
    content = verdict(judged("first_run", "")).model_dump() | {
        "looks": {"tried": 3},
        "risks": [risk, risk | {"outcome": "passes", "arm": "B"}],
    }
    first, looks, told = Verdict.model_validate(content).note_texts(Titles(TITLES))
    assert first.startswith("No champion")
    assert "evaluated with other settings 3 times" in looks
    assert told.startswith("dead or bleed: the mean prediction of the arm A is 0.070, but")
