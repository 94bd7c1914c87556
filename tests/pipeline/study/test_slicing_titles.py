"""Titles of slicings: those of the features that groups are formed by."""

from __future__ import annotations

from typing import Any

from pipeline.study.slicing_titles import slicing_titles, titles_with_pairs
from tests.pipeline.study.hand_made_study import study

BY: dict[str, Any] = {"ages": {"column": "AGE", "bands": [65]}}
TITLED: dict[str, Any] = {"features__AGE__title": "Age (years)"}


def test_a_slicing_by_a_column_has_the_title_of_its_feature() -> None:
    assert slicing_titles(study(**TITLED, slicing__by=BY)) == {"ages": "Age (years)"}


def test_without_a_title_of_the_feature_it_is_called_by_its_name() -> None:
    assert slicing_titles(study(slicing__by=BY)) == {}


def test_two_slicings_by_one_column_have_their_names_too() -> None:
    two = BY | {"elderly": {"column": "AGE", "bands": [80]}}
    assert slicing_titles(study(**TITLED, slicing__by=two)) == {
        "ages": "Age (years) [ages]",
        "elderly": "Age (years) [elderly]",
    }


def test_a_pair_has_the_titles_of_both_or_the_name_of_the_one_without() -> None:
    content: dict[str, Any] = {
        "slicing__by": BY | {"site": {"of": "site"}},
        "slicing__pairs": [["site", "ages"]],
        "site": {"column": "SITEID"},
    }
    found = titles_with_pairs(study(**TITLED, **content))
    assert found == {"ages": "Age (years)", "site, ages": "site, Age (years)"}
