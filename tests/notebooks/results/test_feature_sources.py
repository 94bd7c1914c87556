"""Which columns of a model are judged together."""

from __future__ import annotations

from typing import Any

from notebooks.results.feature_sources import Source, feature_sources
from pipeline.study.load import parse_study

_CONTENT: dict[str, Any] = {
    "study": "hand",
    "title": "Made by hand",
    "datasets": {
        "adsl": {
            "file": "adsl.xpt",
            "format": "xpt",
            "rows": "one_per_subject",
            "columns": {"AGE": {"known": "baseline"}, "SEX": {"known": "baseline"}},
        },
        "adlb": {
            "file": "adlb.xpt",
            "format": "xpt",
            "rows": "many_per_subject",
            "day": "ADY",
            "parameter": "PARAMCD",
        },
        "adae": {"file": "adae.xpt", "format": "xpt", "rows": "many_per_subject", "day": "ASTDY"},
    },
    "subject": {"dataset": "adsl", "column": "USUBJID"},
    "landmark": {"day": 28},
    "tasks": {
        "death": {
            "kind": "outcome",
            "title": "Death",
            "state": {"positive": {"column": "DEATH", "equals": "Y"}},
        }
    },
}


def _sources(features: dict[str, Any], **other: Any) -> tuple[Source, ...]:
    return feature_sources(parse_study({**_CONTENT, **other, "features": features}, "study.yaml"))


def test_a_number_and_its_band_are_one_source() -> None:
    found = _sources(
        {
            "AGE": {"kind": "number"},
            "SEX": {"kind": "category"},
            "age_text": {"kind": "category", "column": "AGE"},
        }
    )
    assert found == (Source("AGE", ("AGE", "age_text")), Source("SEX", ("SEX",)))


def test_aggregates_of_one_parameter_are_one_source_and_other_parameters_are_not() -> None:
    lab = {"kind": "number", "dataset": "adlb", "column": "AVAL", "each": ["ALT", "CRP"]}
    found = _sources(
        {"last": {**lab, "aggregate": "last"}, "change": {**lab, "aggregate": "change"}}
    )
    assert found == (
        Source("ALT", ("last_ALT", "change_ALT")),
        Source("CRP", ("last_CRP", "change_CRP")),
    )


def test_a_parameter_may_be_chosen_by_a_condition_as_well() -> None:
    lab = {"kind": "number", "dataset": "adlb", "column": "AVAL"}
    chosen = {"column": "PARAMCD", "equals": "ALT"}
    found = _sources(
        {
            "last": {**lab, "each": ["ALT"], "aggregate": "last"},
            "change": {**lab, "where": chosen, "aggregate": "change"},
        }
    )
    assert found == (Source("ALT", ("last_ALT", "change")),)


def test_counts_of_rows_are_one_source_only_where_one_counts_among_the_others_rows() -> None:
    emergent = {"column": "TRTEMFL", "equals": "Y"}
    rows = {"kind": "number", "dataset": "adae"}
    found = _sources(
        {
            "count": {**rows, "where": emergent, "aggregate": "count"},
            "severe": {
                **rows,
                "where": {"all": [emergent, {"column": "AESEV", "equals": "SEVERE"}]},
                "aggregate": "any",
            },
            "rash": {**rows, "where": {"column": "AEDECOD", "equals": "Rash"}, "aggregate": "any"},
        }
    )
    assert found == (Source("adae rows", ("count", "severe")), Source("rash", ("rash",)))


def test_the_arm_is_a_source_of_its_own() -> None:
    found = _sources({"AGE": {"kind": "number"}}, arm={"columns": ["TRT01P"], "control": "Placebo"})
    assert found == (Source("AGE", ("AGE",)), Source("arm", ("arm",)))


def test_a_source_of_one_column_is_called_by_the_title_of_its_feature() -> None:
    found = _sources(
        {
            "AGE": {"kind": "number", "title": "Age (years)"},
            "lab": {
                **{"kind": "number", "dataset": "adlb", "column": "AVAL", "aggregate": "last"},
                "each": {"ALT": "Alanine aminotransferase (U/L)"},
            },
        }
    )
    assert found == (
        Source("Age (years)", ("AGE",)),
        Source("Alanine aminotransferase (U/L)", ("lab_ALT",)),
    )
