"""A study file's mistakes are reported in the project's words, not in those of a library."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from pipeline.errors import UserError
from pipeline.study.load import parse_study
from pipeline.version import PROJECT
from tests.components.trial_example_gen.hand_made_trial import study_content
from tests.each import each

WRONG: tuple[Any, ...] = (None, False, -7, 2.5, "", "what", [], [None], {}, {"what": 1})
OF_PYDANTIC = re.compile(r"Input should|after validation|should have at|valid (integer|number)")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"tasks": {}}, "tasks: expected at least 1 key, found none."),
        ({"split.train": 2}, "split.train: expected a number at most 1, found 2."),
        (
            {"arm": {"columns": ["SEX"], "control": False}},
            "arm.control: expected text, found false, as YAML reads yes, no, on, off, true and "
            "false: put the word in quotes.",
        ),
        (
            {"summary.exposure": {"column": "AGE", "unit": "days"}},
            "summary.exposure: expected one column by what it measures, with the unit in that text",
        ),
        ({"split.seed": 1.5}, "split.seed: expected a whole number, found 1.5."),
        (
            {"tasks.death.decision_thresholds": []},
            "tasks.death.decision_thresholds: expected at least 1 value, found none.",
        ),
        (
            {"features.AGE.kind": "what"},
            "features.AGE.kind: expected 'number' or 'category', found what.",
        ),
        (
            {"datasets.dm.columns.AGE.range": [5, 1]},
            "range: the smallest possible value comes first, below the largest one",
        ),
    ],
)
def test_a_mistake_says_what_was_expected_and_what_was_found(
    changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(UserError) as refused:
        parse_study(study_content(changes), "study.yaml")

    assert told in str(refused.value)


def places(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all keys and items."""
    items = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


def test_no_wrong_value_anywhere_is_answered_with_a_librarys_words() -> None:
    text = (PROJECT / "schema" / "cdisc_pilot01" / "study.yaml").read_text("utf-8")
    content = yaml.safe_load(text)
    refusals = [
        (path, wrong, told)
        for path in each(list(places(content)))
        for wrong in WRONG
        if (told := refusal(content, path, wrong))
    ]
    assert len(refusals) > 1_000
    assert [item for item in each(refusals) if OF_PYDANTIC.search(item[2])] == []


def refusal(content: Any, path: tuple[Any, ...], wrong: Any) -> str:
    """Why a study file with another value in a place is refused; empty where it is not."""
    changed = copy.deepcopy(content)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = wrong
    try:
        parse_study(changed, "study.yaml")
    except UserError as error:
        return str(error)
    return ""
