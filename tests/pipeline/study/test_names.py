"""Names that Kubeflow, TFX or a file system can't carry are refused when the file is read."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.names import pipeline_name
from pipeline.runners.kubeflow.spec_check import problems
from tests.pipeline.study.hand_made_study import changed, refusal, study

LETTERS = string.ascii_letters + string.digits + "_"


def test_longest_study_name_is_read() -> None:
    assert len(pipeline_name(study(study="x" * 57).study)) == 63


def test_longer_study_name_is_refused_with_the_limit() -> None:
    [line] = refusal(study="x" * 58)
    assert "study: expected a study's name of at most 57 characters, found 58" in line


def test_study_name_that_ends_with_an_underscore_is_refused() -> None:
    [line] = refusal(study="trial_")
    assert "study: expected a study's name that ends with a letter or digit" in line


@given(st.text(LETTERS, min_size=1, max_size=70))
def test_pipeline_of_every_study_that_is_read_has_a_name_that_tfx_and_kubeflow_take(
    name: str,
) -> None:
    try:
        found = study(study=name)
    except UserError:
        return
    named = pipeline_name(found.study)
    assert len(named) <= 63
    found_problems = problems({"pipelineInfo": {"name": named}})
    assert not [text for text in found_problems if "name" in text]  # may be empty


@pytest.mark.parametrize("section", ["tasks", "features", "datasets"])
def test_name_longer_than_a_file_name_is_refused_with_the_limit(section: str) -> None:
    content = changed()[section]
    first, *_ = content

    lines = refusal(**{section: {**content, "x" * 201: content[first]}})

    assert any("expected a name of at most 200 characters, found 201" in line for line in lines)
