"""The page of a run that is too near to an earlier release says so, and nothing untrue."""

from __future__ import annotations

from dataclasses import replace

from pipeline.html.page import render
from pipeline.pages.evaluation.page import run_page
from pipeline.results.held_back import held_metrics, held_verdict
from pipeline.results.release import EarlierRelease, Release
from tests.components.run_page.hand_made_run import AUC_AT_LEAST, result

RELEASE = Release(
    smallest_group=50, earlier=EarlierRelease(shown="2026-11-29 04:00", data="3fa9c1d2e4b5")
)


def test_it_has_the_decision_and_the_reason_and_no_section_of_numbers() -> None:
    shown = result(AUC_AT_LEAST)
    held = replace(
        shown,
        verdict=held_verdict(shown.verdict, RELEASE),
        metrics=held_metrics(shown.metrics, list(shown.settings.tasks)),
    )

    page = run_page(held)

    assert [section.title for section in page.sections] == ["Decision", "Data", "About this page"]
    assert page.lead.startswith("Blessed. The numbers that it rests on are held back.")
    text = render(page)
    assert "2026-11-29 04:00" in text
    assert "have a known outcome" not in text
