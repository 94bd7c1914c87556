"""The parts of a study that stages which read data are handed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.study.load import parse_study
from pipeline.study.parts import part_for_examples, part_for_summary
from tests.pipeline.study.hand_made_study import ENDPOINT, FULL, study


def test_the_part_for_examples_has_all_that_they_are_derived_from() -> None:
    original = study(**FULL)
    again = part_for_examples(original)
    assert part_for_examples(again) == again
    for kept in ("datasets", "subject", "site", "population", "window", "features", "split"):
        assert getattr(again, kept) == getattr(original, kept)
    assert again.landmark_day == original.landmark_day
    assert again.slicing.by == original.slicing.by
    assert {name: task.event or task.state for name, task in again.tasks.items()} == {
        name: task.event or task.state for name, task in original.tasks.items()
    }


@pytest.mark.parametrize("part", [part_for_examples, part_for_summary])
def test_an_internal_report_decides_nothing_that_is_read(part: Any) -> None:
    assert part(study(disclosure="internal")) == part(study())


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Renamed"},
        {"tasks__death__title": "Renamed"},
        {"tasks__death__decision_thresholds": [0.2, 0.4]},
        {"thresholds": [{"metric": "auc", "at_least": 0.9}]},
        {"gate": {"leakage": "warn"}},
        {"training": {"steps": 5}},
        {"slicing__smallest_group": 99},
    ],
)
def test_what_judges_or_trains_the_model_does_not_decide_the_examples(
    changes: dict[str, Any],
) -> None:
    assert part_for_examples(study(**changes)) == part_for_examples(study())
    assert study(**changes).digest() != study().digest()


@pytest.mark.parametrize(
    "changes",
    [
        {"features__WEEK4": {"kind": "number"}},
        {"features__lab__aggregate": "mean"},
        {"landmark": {"day": 29}},
        {"tasks__death__horizon": 90},
        {"tasks__death__state__positive__equals": "N"},
        {"population": {"column": "AGE", "above": 18}},
        {"split": {"seed": 2}},
        {"datasets__dm__columns__AGE__range": [0, 100]},
        {"datasets__lb__file": "lb2.xpt"},
        {"slicing__by": {"age": {"column": "AGE", "bands": [65]}}},
    ],
)
def test_what_is_read_or_derived_decides_the_examples(changes: dict[str, Any]) -> None:
    assert part_for_examples(study(**changes)) != part_for_examples(study())


def test_the_card_is_no_part_of_the_examples() -> None:
    assert part_for_examples(study(card__purpose="To plan care.")) == part_for_examples(study())


def test_times_to_events_decide_the_examples_and_the_rest_of_the_analysis_does_not() -> None:
    plain = part_for_examples(study())
    assert part_for_examples(study(analysis__adjust_for=["AGE"])) == plain
    timed = part_for_examples(study(analysis__time_to_event={"death": ENDPOINT}))
    assert timed != plain
    renamed = {**ENDPOINT, "title": "Death of any cause", "horizon": 180}
    assert part_for_examples(study(analysis__time_to_event={"death": renamed})) == timed
    assert part_for_examples(timed) == timed


def test_the_part_for_the_summary_has_what_decides_the_examples_and_the_summary() -> None:
    summary = {"exposure": {"weeks": "WEEK8"}}
    found = part_for_summary(study(**FULL, summary=summary))
    assert part_for_examples(found) == part_for_examples(study(**FULL))
    assert found.summary.exposure == {"weeks": "WEEK8"}
    assert found.slicing == study(**FULL).slicing


@pytest.mark.parametrize("part", [part_for_examples, part_for_summary])
def test_a_part_can_be_handed_on_as_json(part: Any) -> None:
    found = part(study(**FULL))
    assert parse_study(json.loads(found.to_json()), "the study") == found
