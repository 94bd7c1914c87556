"""Titles of features: what people read, and what they never decide."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.study.digest import label_digest
from pipeline.study.features import feature_titles
from pipeline.study.parts import (
    part_for_card,
    part_for_examples,
    part_for_scoring,
    part_for_summary,
)
from pipeline.study.study import Study
from tests.pipeline.study.hand_made_study import refusal, study

ALT, CK = "Alanine aminotransferase (U/L)", "Creatine kinase MB (µg/L)"
TITLED: dict[str, Any] = {
    "features__AGE__title": "Age (years)",
    # In another order than that of the alphabet.
    "features__lab__each": {"CK-MB": CK, "ALT": ALT},
}
UNTITLED: dict[str, Any] = {"features__lab__each": ["CK-MB", "ALT"]}
BY_AGE: dict[str, Any] = {
    "slicing__by": {"ages": {"column": "AGE", "bands": [65]}},
    "evaluation": {"scheme": "internal_external", "by": "ages"},
}


def titles(found: Study) -> list[tuple[str, str]]:
    return [(feature.name, feature.title) for feature in found.resolved_features]


def test_a_feature_without_a_title_is_called_by_its_name() -> None:
    assert titles(study()) == [(name, name) for name in ("AGE", "lab_ALT", "lab_CK_MB")]
    assert feature_titles(study()) == {}


def test_each_value_may_have_its_title_and_keeps_its_place() -> None:
    assert titles(study(**TITLED)) == [("AGE", "Age (years)"), ("lab_CK_MB", CK), ("lab_ALT", ALT)]


def test_the_title_of_a_feature_stands_before_those_of_its_values() -> None:
    last = study(**TITLED, features__lab__title="Last value")
    assert feature_titles(last)["lab_ALT"] == f"Last value: {ALT}"

    codes = study(features__lab__title="Laboratory")
    assert feature_titles(codes) == {"lab_ALT": "Laboratory: ALT", "lab_CK_MB": "Laboratory: CK-MB"}


def test_titles_survive_the_card_in_the_order_of_the_file() -> None:
    assert titles(part_for_card(study(**TITLED))) == titles(study(**TITLED))


@pytest.mark.parametrize("part", [part_for_examples, part_for_scoring, part_for_summary])
def test_titles_decide_nothing_that_is_read(part: Any) -> None:
    """The parameter of a stage is its key in the cache: it must be the same text."""
    assert part(study(**TITLED)).to_json() == part(study(**UNTITLED)).to_json()


def test_a_title_loses_no_comparison_with_the_champion() -> None:
    assert label_digest(study(**TITLED)) == label_digest(study(**UNTITLED))


def test_not_even_that_of_a_column_that_groups_are_formed_of() -> None:
    assert label_digest(study(**TITLED, **BY_AGE)) == label_digest(study(**UNTITLED, **BY_AGE))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"features__AGE__title": "Age\nin years"},
            "features.AGE.title: expected one line of text",
        ),
        ({"features__AGE__title": "Age\u202e"}, "features.AGE.title: expected one line of text"),
        ({"features__AGE__title": " "}, "features.AGE.title: expected one line of text"),
        ({"features__AGE__title": "x" * 81}, "expected at most 80 characters, found 81"),
        ({"features__AGE__title": True}, "features.AGE.title: expected text, found true"),
        (
            {"features__lab__each": {"ALT": "x" * 81}},
            "features.lab.each.ALT: expected at most 80 characters, found 81",
        ),
        ({"features__lab__each": {"ALT": 1}}, "features.lab.each.ALT: expected text, found 1"),
        ({"features__lab__each": "ALT"}, "features.lab.each: expected a list"),
        (
            {"features__lab__title": "x" * 60, "features__lab__each": {"ALT": "y" * 40}},
            "features.lab_ALT: with that of `each` its title has 102 characters, expected at most",
        ),
        (
            {"features__lab__each": {"ALT": "Liver", "CK-MB": "Liver"}},
            "features.lab_CK_MB: its title is that of lab_ALT",
        ),
        ({"features__lab__each": {"ALT": "AGE"}}, "features.lab_ALT: its title is that of AGE"),
    ],
)
def test_a_title_is_one_short_line_of_its_own(change: dict[str, Any], reason: str) -> None:
    [line] = refusal(**change)
    assert reason in line
