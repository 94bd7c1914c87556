"""The section `evaluation`: each scheme takes the keys that it uses."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipeline.study.sections import Evaluation


def test_a_study_is_evaluated_on_its_test_split() -> None:
    assert Evaluation().scheme == Evaluation(scheme="split").scheme == "split"


@pytest.mark.parametrize(
    "section",
    [
        {"scheme": "auto", "folds": 5, "least_events": 50},
        {"scheme": "split", "drop_tasks": "allowed"},
        {"scheme": "cross_fit", "folds": 5, "repeats": 2},
        {"scheme": "internal_external", "by": "site"},
    ],
)
def test_a_scheme_takes_the_keys_that_it_uses(section: dict[str, object]) -> None:
    assert Evaluation.model_validate(section).scheme == section["scheme"]


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ({"scheme": "split", "folds": 5}, "folds"),
        ({"scheme": "split", "least_events": 50}, "least_events"),
        ({"scheme": "cross_fit", "least_events": 50}, "least_events"),
        ({"scheme": "internal_external", "by": "site", "repeats": 2}, "repeats"),
    ],
)
def test_a_key_that_the_scheme_does_not_use_is_refused(
    section: dict[str, object], key: str
) -> None:
    with pytest.raises(ValidationError, match=f"does not use `{key}`"):
        Evaluation.model_validate(section)


def test_groups_belong_to_one_scheme_only() -> None:
    with pytest.raises(ValidationError, match="give `by` with"):
        Evaluation.model_validate({"by": "site"})
