"""Every value that a study file compares a column with is named, with its place."""

from __future__ import annotations

from typing import Any

from pipeline.study.levels import level_name, named_levels
from tests.components.trial_example_gen.hand_made_trial import hand_made_study


def named(changes: dict[str, Any] | None = None) -> dict[str, tuple[Any, ...]]:
    study = hand_made_study(changes)
    return {
        item.key: (item.dataset, item.column, item.levels, item.negated, item.alone)
        for item in named_levels(study)
    }


def test_values_of_labels_and_rows_are_named() -> None:
    assert named() == {
        "features.alt.where": ("lb", "LBTESTCD", ("ALT",), False, False),
        "tasks.death.state.positive": ("dm", "DIED", ("Y",), False, False),
    }


def test_each_parameter_is_needed_by_itself() -> None:
    laboratory = {
        "kind": "number",
        "dataset": "lb",
        "column": "LBSTRESN",
        "each": ["ALT", "ALP"],
        "aggregate": "last",
    }

    found = named({"features.laboratory": laboratory})

    assert found["features.laboratory.each"] == ("lb", "LBTESTCD", ("ALT", "ALP"), False, True)


def test_held_out_sites_are_named() -> None:
    changes = {
        "site": {"column": "SITEID"},
        "datasets.dm.columns.SITEID": {"type": "text", "known": "baseline"},
        "split": {"holdout_sites": ["07"]},
    }

    assert named(changes)["split.holdout_sites"] == ("dm", "SITEID", ("07",), False, True)


def test_values_below_not_are_those_that_rows_must_not_have() -> None:
    condition = {"not": {"any": [{"column": "SEX", "in": ["M", "U"]}]}}

    assert named({"population": condition})["population"] == (
        "dm",
        "SEX",
        ("M", "U"),
        True,
        False,
    )


def test_what_is_present_or_in_a_range_names_no_value() -> None:
    condition = {"all": [{"column": "SEX", "present": True}, {"column": "AGE", "above": 18}]}

    assert "population" not in named({"population": condition})


def test_a_number_is_recognised_however_it_is_written() -> None:
    assert level_name(7) == level_name(7.0) != level_name("7")
