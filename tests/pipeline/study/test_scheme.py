"""The section `evaluation`: only what the graph can do is accepted."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipeline.study.sections import Evaluation


def test_a_study_is_evaluated_on_its_test_split() -> None:
    assert Evaluation().scheme == Evaluation(scheme="split").scheme == "split"


@pytest.mark.parametrize(
    "section",
    [{"scheme": "auto"}, {"scheme": "cross_fit"}, {"scheme": "internal_external", "by": "site"}],
)
def test_a_scheme_that_the_graph_does_not_have_is_refused(section: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="expected `scheme: split`"):
        Evaluation.model_validate(section)


@pytest.mark.parametrize("section", [{"folds": 5}, {"repeats": 2}, {"least_events": 50}])
def test_what_a_test_split_does_not_use_is_refused(section: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match="expected `scheme` alone"):
        Evaluation.model_validate(section)


def test_groups_belong_to_one_scheme_only() -> None:
    with pytest.raises(ValidationError, match="give `by` with"):
        Evaluation.model_validate({"by": "site"})
