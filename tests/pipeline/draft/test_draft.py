"""Drafts: what is seen in the files is written down, what can't be seen is left to a person."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.draft.study import draft_study
from pipeline.errors import UserError
from pipeline.study.load import parse_study
from tests.each import each
from tests.pipeline.draft.hand_made_files import draft_of, write_csv


def _decided(draft: dict[str, Any]) -> dict[str, Any]:
    """A draft whose title, arm and analysis a person has decided, but nothing of any column."""
    decided = draft | {"title": "My trial", "tasks": _HEALED, "analysis": {"randomised": True}}
    return decided | ({"arm": draft["arm"] | {"control": "control"}} if "arm" in draft else {})


_HEALED = {
    "healed": {
        "kind": "outcome",
        "title": "Healed",
        "state": {"positive": {"column": "HEALED", "equals": "Y"}},
    }
}


def test_study_without_decisions_is_refused(data: Path) -> None:
    text = draft_study(data, "mytrial")
    todo = [line for line in text.splitlines() if "TODO" in line and not line.startswith("#")]

    with pytest.raises(UserError) as refused:
        parse_study(yaml.safe_load(text), "study.yaml")

    reasons = str(refused.value).splitlines()
    assert all(reason.endswith("TODO is still to be decided.") for reason in reasons)
    assert len(reasons) == sum(line.partition("#")[0].count("TODO") for line in todo) > 5


def test_every_problem_is_reported_at_once(data: Path) -> None:
    """A file without tasks is refused with all its other problems."""
    draft = _decided(draft_of(data))
    del draft["tasks"]
    draft["datasets"]["patients"]["known"] = "after"
    draft["landmark"] = {"day": -3}

    with pytest.raises(UserError) as refused:
        parse_study(draft, "study.yaml")

    reasons = str(refused.value).splitlines()
    assert "study.yaml: tasks: this key is missing." in reasons
    assert len([reason for reason in reasons if "so it can't be a feature" in reason]) == len(
        draft["features"]
    )
    assert any(reason.startswith("study.yaml: landmark.day") for reason in reasons)


def test_column_becomes_no_feature_until_a_person_says_when_it_is_known(data: Path) -> None:
    draft = _decided(draft_of(data))
    del draft["features"]["HEALED"]
    del draft["datasets"]["patients"]["known"]

    with pytest.raises(UserError, match=r"say when column AGE is known .*\.AGE\.known"):
        parse_study(draft, "study.yaml")


def test_whole_dataset_says_when_its_columns_are_known(data: Path) -> None:
    draft = _decided(draft_of(data))
    del draft["features"]["HEALED"]
    draft["datasets"]["patients"]["known"] = "baseline"
    draft["datasets"]["patients"]["columns"]["WEIGHT"]["known"] = "after"

    with pytest.raises(UserError) as refused:
        parse_study(draft, "study.yaml")

    assert [
        line for line in each(str(refused.value).splitlines()) if "known `after`" not in line
    ] == []
    del draft["features"]["WEIGHT"]
    assert parse_study(draft, "study.yaml").baseline_features


def test_nothing_is_ever_guessed_to_be_known(data: Path) -> None:
    columns = draft_of(data)["datasets"]["patients"]["columns"].values()

    assert len(columns) == 10
    assert [column for column in columns if "known" in column] == []
    assert draft_of(data)["datasets"]["patients"]["known"] == "TODO"


def test_draft_has_thresholds_so_that_chance_is_not_blessed(data: Path) -> None:
    thresholds = draft_of(data)["thresholds"]

    assert {"metric": "auc", "at_least": 0.5, "holds": "bound"} in thresholds


_COLUMN_NAMES = st.lists(
    st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["C"])).filter(
        lambda name: name and not set(name) & set(',;|"')
    ),
    min_size=1,
    max_size=6,
    unique_by=str.strip,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=_COLUMN_NAMES)
def test_column_of_any_name_comes_through_yaml(tmp_path: Path, names: list[str]) -> None:
    columns = ["id", *(f"{name}_" for name in names)]
    rows = [dict.fromkeys(columns, i % 2) | {"id": i} for i in range(4)]
    write_csv(tmp_path / "a.csv", rows)

    draft = draft_of(tmp_path)
    features = draft["features"]
    sources = {feature.get("column", name) for name, feature in features.items()}
    columns = [column.strip() for column in columns]

    assert list(draft["datasets"]["a"]["columns"]) == columns
    assert sources <= set(columns)
    assert all(re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name) for name in features)
    assert len(sources) == len(features)
