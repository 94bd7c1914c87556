"""The internal report: every group and every time, in one file, for its owner alone."""

from __future__ import annotations

import dataclasses
import stat
from pathlib import Path

import numpy as np
import pytest

from components.trial_analysis.analyse import analyse
from components.trial_analysis.curves import kaplan_meier
from components.trial_analysis.subjects import TrialSubjects
from pipeline.html.page import Page, render
from pipeline.internal_report import _write_for_owner
from pipeline.pages.analysis import analysis_sections
from pipeline.pages.report import INTERNAL
from pipeline.results.analysis import Analysis
from tests.components.trial_analysis.hand_made_subjects import (
    repeated,
    settings_of,
    times,
    trial,
)
from tests.each import each

FEW = 3
"""Subjects of a region that is too small to be shown."""


def subjects() -> TrialSubjects:
    """Two arms of 40; three subjects with Active and none with Placebo come from the North."""
    time = [place * 37 % 80 + 1.5 for place in range(80)]
    return trial(
        repeated(("Active", 40), ("Placebo", 40)),
        numbers={"AGE": [50.25 + place % 20 for place in range(80)]},
        characteristics={"REGION": repeated(("North", FEW), ("South", 77))},
        slicings={"region": repeated(("North", FEW), ("South", 77))},
        outcomes={"death": repeated((True, 10), (False, 30)) * 2},
        times={"death": times(time, [place % 2 for place in range(80)])},
    )


def document(internal: bool) -> Analysis:
    found = subjects()
    return analyse(found, settings_of(found), internal=internal)


def counts_of(analysis: Analysis, level: str, value: str) -> list[int | None]:
    return [
        item.subjects
        for characteristic in analysis.characteristics
        for item in characteristic.counts
        if (item.level, item.value) == (level, value)
    ]


def test_a_small_group_is_counted_in_the_internal_analysis_alone() -> None:
    assert counts_of(document(internal=False), "Active", "North") == [None]
    assert counts_of(document(internal=True), "Active", "North") == [FEW]


def test_internal_curves_step_at_every_event_and_end_at_the_last_time() -> None:
    found = subjects()
    by_level = {curve.level: curve for curve in document(internal=True).endpoints[0].curves}
    for level in ("Active", "Placebo"):
        exact = kaplan_meier(found.times["death"], found.factors[0].of(level))
        curve = by_level[level]
        assert [point.time for point in curve.points] == [0.0, *exact.times]
        assert curve.ends == exact.observed[-1]
        assert all(item.subjects is not None for item in each(curve.at_risk))
        assert len(curve.points) > 10


def test_internal_quartiles_are_those_of_the_values() -> None:
    found = subjects()
    inside = found.numbers["AGE"][found.factors[0].of("Active")]
    (age,) = (item for item in document(internal=True).characteristics if item.name == "AGE")
    (active,) = (item for item in age.numbers if item.level == "Active")
    assert active.median == pytest.approx(float(np.median(inside)))


def test_what_both_show_is_the_same() -> None:
    public, internal = document(internal=False), document(internal=True)
    assert public.tasks == internal.tasks
    assert public.screening.false_discovery_rate == internal.screening.false_discovery_rate
    assert [curve.events for curve in public.endpoints[0].curves] == [
        curve.events for curve in internal.endpoints[0].curves
    ]


def test_the_public_page_suppresses_and_the_internal_one_does_not_mention_it() -> None:
    pages = {
        internal: render(Page("A trial", "", analysis_sections(document(internal=internal))))
        for internal in (False, True)
    }
    assert ">suppressed<" in pages[False]
    assert "ithheld" not in pages[True]


def test_the_caption_of_curves_says_whether_they_are_thinned() -> None:
    for internal in (False, True):
        page = render(Page("A trial", "", analysis_sections(document(internal=internal))))
        assert ("thinned so that no step is a single subject" in page) is not internal
        assert ("steps at every event" in page) is internal


def test_a_banner_stands_above_everything() -> None:
    page = Page("A trial", "", (), banner=INTERNAL)
    html = render(page)
    assert html.index(INTERNAL) < html.index("<h1>")
    assert INTERNAL not in render(dataclasses.replace(page, banner=""))


def test_the_file_is_its_owners_alone_also_where_another_one_was(tmp_path: Path) -> None:
    path = tmp_path / "report.internal.html"
    path.write_text("an earlier one")
    path.chmod(0o644)
    _write_for_owner(path, "a report")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "a report"
