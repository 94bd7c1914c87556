"""The study without weights for censoring and without explanations."""

from __future__ import annotations

import copy

import pytest
import yaml

from benchmarks.uncertainty import STUDIES, _turns, without
from pipeline.study.load import parse_study
from pipeline.study.shipped import SCHEMAS


@pytest.mark.parametrize("study", STUDIES)
def test_a_study_without_has_no_weights_and_no_explanations(study: str) -> None:
    content = yaml.safe_load((SCHEMAS / study / "study.yaml").read_text())
    before = copy.deepcopy(content)

    found = parse_study(without(content), "the study without")

    assert content == before
    shipped = parse_study(content, "the shipped study")
    assert list(found.tasks) == list(shipped.tasks)
    assert not [t for t in found.tasks.values() if t.event is not None and t.event.follow_up]
    assert shipped.training.contributions
    assert not found.training.contributions


def test_both_kinds_take_turns() -> None:
    assert list(_turns(2)) == [(0, "without"), (0, "with"), (1, "with"), (1, "without")]
