"""The section `evaluation`: each scheme takes the keys that it uses."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from pipeline.study.load import load_study
from pipeline.study.sections import Evaluation
from pipeline.study.shipped import SCHEMAS


def test_the_data_decide_unless_the_study_file_does() -> None:
    assert Evaluation().scheme == "auto"
    assert Evaluation(scheme="split").scheme == "split"


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


def test_a_study_file_without_the_section_reports_once_what_changed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = yaml.safe_load((SCHEMAS / "ist" / "study.yaml").read_text())
    del content["evaluation"]
    old = tmp_path / "study.yaml"
    old.write_text(yaml.safe_dump(content))

    with caplog.at_level(logging.WARNING):
        study = load_study(old)
        load_study(old)
        load_study(SCHEMAS / "ist" / "study.yaml")

    assert study.evaluation.scheme == "auto"
    (told,) = [record.getMessage() for record in caplog.records]
    assert told.startswith(f"{old}: `evaluation` is not given")
    assert "`evaluation: {scheme: split}` is what earlier releases did" in told
