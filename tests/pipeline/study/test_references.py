"""The list of references: every use of a column, and what is filtered from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from pipeline.study.conditions import Condition
from pipeline.study.load import load_study, parse_study
from pipeline.study.references import QUALIFIER_COLUMNS, Reference, conditions, label_columns
from pipeline.study.shipped import SCHEMAS
from pipeline.study.study import Study

SHIPPED = tuple(SCHEMAS.glob("*/study.yaml"))

_ROWS = {"format": "xpt", "rows": "many_per_subject"}

STUDY: dict[str, Any] = {
    "study": "hand",
    "title": "A trial made by hand",
    "datasets": {
        "dm": {
            "file": "dm.xpt",
            "format": "xpt",
            "rows": "one_per_subject",
            "columns": {"AGE": {"known": "baseline"}, "BASE": {"known": "baseline"}},
        },
        "suppdm": {"file": "suppdm.xpt", **_ROWS, "supplements": "dm"},
        "lb": {"file": "lb.xpt", **_ROWS, "date": "LBDTC", "parameter": "LBTESTCD"},
        "ae": {"file": "ae.xpt", **_ROWS, "day": "AESTDY", "end_day": "AEENDY", "subject": "SUBJ"},
    },
    "subject": {
        "dataset": "dm",
        "column": "USUBJID",
        "reference_date": "RFSTDTC",
        "birth_date": "BRTHDTC",
        "exit_day": "EXITDY",
    },
    "arm": {"columns": ["ARM"], "control": "Placebo"},
    "site": {"column": "SITEID"},
    "population": {"column": "ITT", "equals": "Y"},
    "window": {"column": "RANDDT", "start": "2014-01-01"},
    "landmark": {"day": 28},
    "features": {
        "AGE": {"kind": "number"},
        "lab": {
            "kind": "number",
            "dataset": "lb",
            "column": "LBSTRESN",
            "where": {"column": "LBBLFL", "equals": "Y"},
            "each": ["ALT", "AST"],
            "aggregate": "last",
        },
    },
    "tasks": {
        "rash": {
            "kind": "adverse_event",
            "title": "Rash",
            "horizon": 90,
            "event": {
                "dataset": "ae",
                "where": {"column": "AEDECOD", "equals": "RASH"},
                "follow_up": {
                    "dataset": "dm",
                    "where": {"column": "ENDED", "present": True},
                    "date": "RFENDTC",
                },
            },
            "unknown_when": {"column": "LOST", "equals": "Y"},
        },
        "rise": {
            "kind": "response",
            "title": "Rise",
            "state": {
                "where": {"column": "VISIT", "equals": 8},
                "positive": {"column": "SCORE", "above_column": "BASE"},
            },
        },
    },
    "slicing": {
        "by": {
            "age": {"column": "AGE", "bands": [65]},
            "sex": {"column": "SEX"},
            "time": {"date": "RFSTDTC"},
        }
    },
    "analysis": {
        "time_to_event": {
            "death": {
                "title": "Death",
                "time": "TD",
                "event": {"column": "DIED", "equals": 1},
                "where": {"column": "TTEFL", "equals": "Y"},
            }
        }
    },
    "summary": {
        "safety": {"column": "SAFFL", "equals": "Y"},
        "disposition": {"column": "DCDECOD", "completed": "COMPLETED"},
        "exposure": {"days": "EXDUR"},
        "adverse_events": {
            "dataset": "ae",
            "where": {"column": "TRTEMFL", "equals": "Y"},
            "category": "AEBODSYS",
            "severity": "AESEV",
            "severities": ["MILD"],
        },
        "endpoints": {
            "alt": {
                "title": "ALT",
                "dataset": "lb",
                "where": {"column": "LBTESTCD", "equals": "ALT"},
                "value": "LBSTRESN",
                "visit": "VISIT",
                "order": "VISITNUM",
            }
        },
    },
}


def study(**changes: Any) -> Study:
    return parse_study({**STUDY, **changes}, "study.yaml")


def _uses(role: str) -> set[tuple[str, str, str | None, str | None]]:
    """(key, dataset, column, kind) of the uses in a role."""
    found = [use for use in study().references() if use.role == role]
    return {(use.key, use.dataset, use.column, use.kind) for use in found}


@pytest.mark.parametrize(
    ("role", "uses"),
    [
        (
            "subject_key",
            {
                ("subject.column", "dm", "USUBJID", None),
                ("subject.column", "suppdm", "USUBJID", None),
                ("subject.column", "lb", "USUBJID", None),
                ("datasets.ae.subject", "ae", "SUBJ", None),
            },
        ),
        (
            "row_day",
            {
                ("datasets.lb.date", "lb", "LBDTC", "date"),
                ("datasets.ae.day", "ae", "AESTDY", "number"),
            },
        ),
        ("row_end", {("datasets.ae.end_day", "ae", "AEENDY", "number")}),
        (
            "qualifier",
            {("datasets.suppdm.supplements", "dm", None, None)}
            | {
                ("datasets.suppdm.supplements", "suppdm", column, "text")
                for column in ("IDVAR", "IDVARVAL", "QNAM", "QVAL")
            },
        ),
        ("exit", {("subject.exit_day", "dm", "EXITDY", "number")}),
        ("birth_date", {("subject.birth_date", "dm", "BRTHDTC", "date")}),
        ("window", {("window.column", "dm", "RANDDT", "date")}),
        ("arm", {("arm.columns", "dm", "ARM", None)}),
        ("site", {("site.column", "dm", "SITEID", None)}),
        ("population", {("population", "dm", "ITT", None)}),
        (
            "slicing",
            {
                ("slicing.by.age", "dm", "AGE", "number"),
                ("slicing.by.sex", "dm", "SEX", None),
                ("slicing.by.time", "dm", "RFSTDTC", "date"),
            },
        ),
        (
            "feature",
            {
                ("features.AGE.dataset", "dm", None, None),
                ("features.AGE", "dm", "AGE", "number"),
                ("features.lab.dataset", "lb", None, None),
                ("features.lab", "lb", "LBSTRESN", "number"),
            },
        ),
        (
            "feature_rows",
            {
                ("features.lab.where", "lb", "LBBLFL", None),
                ("features.lab.each", "lb", "LBTESTCD", None),
            },
        ),
        (
            "label",
            {
                ("tasks.rash.event.dataset", "ae", None, None),
                ("tasks.rash.event.where", "ae", "AEDECOD", None),
                ("tasks.rash.event", "ae", "AESTDY", None),
                ("tasks.rise.state.dataset", "dm", None, None),
                ("tasks.rise.state.positive", "dm", "SCORE", None),
                ("tasks.rise.state.positive", "dm", "BASE", None),
            },
        ),
        ("label_rows", {("tasks.rise.state.where", "dm", "VISIT", None)}),
        ("unknown_when", {("tasks.rash.unknown_when", "dm", "LOST", None)}),
        (
            "follow_up",
            {
                ("tasks.rash.event.follow_up.dataset", "dm", None, None),
                ("tasks.rash.event.follow_up.date", "dm", "RFENDTC", "date"),
            },
        ),
        ("follow_up_rows", {("tasks.rash.event.follow_up.where", "dm", "ENDED", None)}),
        (
            "analysis",
            {
                ("analysis.time_to_event.death.dataset", "dm", None, None),
                ("analysis.time_to_event.death.time", "dm", "TD", "number"),
                ("analysis.time_to_event.death.event", "dm", "DIED", None),
            },
        ),
        ("analysis_rows", {("analysis.time_to_event.death.where", "dm", "TTEFL", None)}),
        ("enrolled", {("population", "dm", "ITT", None)}),
        ("enrolment", {("subject.reference_date", "dm", "RFSTDTC", "date")}),
        ("safety", {("summary.safety", "dm", "SAFFL", None)}),
        (
            "disposition",
            {
                ("summary.disposition.dataset", "dm", None, None),
                ("summary.disposition.column", "dm", "DCDECOD", None),
            },
        ),
        ("exposure", {("summary.exposure.days", "dm", "EXDUR", "number")}),
        (
            "adverse_events",
            {
                ("summary.adverse_events.dataset", "ae", None, None),
                ("summary.adverse_events.where", "ae", "TRTEMFL", None),
            },
        ),
        ("event_category", {("summary.adverse_events.category", "ae", "AEBODSYS", None)}),
        ("event_severity", {("summary.adverse_events.severity", "ae", "AESEV", None)}),
        ("visit_value", {("summary.endpoints.alt.value", "lb", "LBSTRESN", "number")}),
        ("visit_name", {("summary.endpoints.alt.visit", "lb", "VISIT", None)}),
        ("visit_order", {("summary.endpoints.alt.order", "lb", "VISITNUM", "number")}),
    ],
)
def test_every_use_is_listed_with_its_key_dataset_column_and_kind(
    role: str, uses: set[tuple[str, str, str | None, str | None]]
) -> None:
    assert _uses(role) == uses


def test_a_column_that_others_are_compared_with_is_not_judged() -> None:
    compared = [use.column for use in study().references() if use.compared]
    assert compared == ["BASE"]


def test_a_named_dataset_has_the_condition_of_its_rows() -> None:
    rows = {use.key: use.condition for use in study().references() if use.column is None}
    event = study().tasks["rash"].event
    assert event
    assert rows["tasks.rash.event.dataset"] == event.where
    assert rows["tasks.rise.state.dataset"] is not None
    assert rows["analysis.time_to_event.death.dataset"] is not None
    assert rows["features.AGE.dataset"] is None


def test_the_rows_of_a_feature_are_of_its_parameter() -> None:
    rows = [use.condition for use in study().references() if use.key == "features.lab.dataset"]
    assert [[part.equals for part in condition.all or ()] for condition in rows if condition] == [
        ["Y", "ALT"],
        ["Y", "AST"],
    ]


def test_the_population_of_the_summary_replaces_the_study_s_own() -> None:
    other = study(summary={"population": {"column": "RANDFL", "equals": "Y"}})
    uses = [(use.key, use.column) for use in other.references() if use.role == "enrolled"]
    assert uses == [("summary.population", "RANDFL")]


def test_what_only_the_summary_uses_is_no_column_of_the_examples() -> None:
    assert "EXDUR" not in study().columns_used("dm")
    assert "VISITNUM" not in study().columns_used("lb")
    assert study().columns_used("lb") == ("USUBJID", "LBDTC", "LBSTRESN", "LBBLFL", "LBTESTCD")


def test_a_column_that_decides_a_label_is_no_feature_and_one_that_chooses_rows_may_be() -> None:
    assert label_columns(study()) == {
        ("dm", "EXITDY"),
        ("dm", "LOST"),
        ("dm", "RFENDTC"),
        ("dm", "SCORE"),
        ("dm", "TD"),
        ("dm", "DIED"),
        ("ae", "AEDECOD"),
        ("ae", "AESTDY"),
    }


def test_each_condition_is_listed_once_whatever_the_number_of_its_columns() -> None:
    both = {"all": [{"column": "ITT", "equals": "Y"}, {"column": "AGE", "above": 18}]}
    uses = [use for use in study(population=both).references() if use.role == "population"]
    assert [use.column for use in uses] == ["ITT", "AGE"]
    assert [(key, dataset) for key, dataset, _ in conditions(uses)] == [("population", "dm")]


def _condition_keys(part: object, key: str = "") -> Iterator[str]:
    """Key of every condition that is written anywhere in a study file."""
    if isinstance(part, Condition):
        yield key
    elif isinstance(part, BaseModel):
        for name in type(part).model_fields:
            yield from _condition_keys(getattr(part, name), f"{key}.{name}".strip("."))
    elif isinstance(part, Mapping):
        for name, value in part.items():
            yield from _condition_keys(value, f"{key}.{name}")


@pytest.mark.parametrize("name", ["hand", *sorted(path.parent.name for path in SHIPPED)])
def test_no_condition_of_a_study_file_is_left_out(name: str) -> None:
    found = study() if name == "hand" else load_study(SCHEMAS / name / "study.yaml")
    listed = {key for key, _, _ in conditions(found.references())}
    assert listed == set(_condition_keys(found))


_NO_COLUMNS = {
    *("study", "title", "file", "format", "rows", "known", "kind", "control", "start", "each"),
    *("dataset", "supplements", "aggregate", "equals", "completed", "severities"),
}
"""Keys of the study file whose texts are no names of columns."""


def _texts(part: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Each text of a study file, with the key that it stands under."""
    if isinstance(part, str):
        yield key, part
    elif isinstance(part, Mapping):
        for name, value in part.items():
            # A measure of exposure has a name of its own, and its column stands there.
            yield from _texts(value, "column" if key == "exposure" else name)
    elif isinstance(part, list):
        for value in part:
            yield from _texts(value, key)


def test_no_column_of_a_study_file_is_left_out() -> None:
    listed = {use.column for use in study().references()}
    named = {text for key, text in _texts(STUDY) if key not in _NO_COLUMNS}
    # Features are named by their column where it has their name.
    assert named | {"AGE"} == listed - {None, *QUALIFIER_COLUMNS}


def test_references_are_plain_values() -> None:
    assert Reference("window.column", "window", "dm", "RANDDT", "date") in study().references()
