"""Which columns of the examples the model reads, and which statistics are taken of."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.names import SUBJECT_HASH
from pipeline.pipeline import model_inputs, statistics_columns
from pipeline.study.features import feature_columns
from pipeline.study.load import parse_study
from pipeline.study.study import Study

COLUMNS = {
    "USUBJID": {"type": "text"},
    "AGE": {"type": "number", "known": "baseline"},
    "SEX": {"type": "text", "known": "baseline"},
    "TRT": {"type": "text", "known": "baseline"},
    "SITEID": {"type": "text", "known": "baseline"},
    "DIED": {"type": "text"},
}


def _study(**extra: Any) -> Study:
    content = {
        "study": "hand",
        "title": "A trial made by hand",
        "datasets": {
            "dm": {
                "file": "dm.csv",
                "format": "csv",
                "rows": "one_per_subject",
                "columns": COLUMNS,
            },
            "lb": {
                "file": "lb.xpt",
                "format": "xpt",
                "rows": "many_per_subject",
                "day": "LBDY",
                "parameter": "LBTESTCD",
            },
        },
        "subject": {"dataset": "dm", "column": "USUBJID"},
        "features": {
            "SEX": {"kind": "category"},
            "AGE": {"kind": "number"},
            "lab": {
                "kind": "number",
                "dataset": "lb",
                "column": "LBSTRESN",
                "each": ["ALT", "CK"],
                "aggregate": "last",
            },
        },
        "tasks": {
            "death": {
                "kind": "outcome",
                "title": "Dead at the end",
                "state": {"positive": {"column": "DIED", "equals": "Y"}},
            }
        },
        "slicing": {"by": {"sex": {"column": "SEX"}}},
    }
    return parse_study(content | extra, "study.yaml")


ARM = {"arm": {"columns": ["TRT"], "control": "Placebo"}}
SITE = {"site": {"column": "SITEID"}}


def test_numbers_and_categories_keep_the_order_of_the_study_file() -> None:
    assert feature_columns(_study()) == (["AGE", "lab_ALT", "lab_CK"], ["SEX"])


def test_the_arm_is_always_read_where_there_is_one() -> None:
    assert feature_columns(_study(**ARM))[1] == ["SEX", "arm"]


def test_the_site_is_not_read_unless_the_study_file_says_so() -> None:
    assert "site" not in feature_columns(_study(**SITE))[1]
    chosen = _study(**SITE, training={"site_as_feature": True})
    assert feature_columns(chosen)[1] == ["SEX", "site"]


def test_the_model_predicts_every_task() -> None:
    inputs = model_inputs(_study(**ARM))
    assert inputs.numeric == ("AGE", "lab_ALT", "lab_CK")
    assert inputs.categorical == ("SEX", "arm")
    assert inputs.tasks == ("death",)


def test_statistics_are_taken_of_features_labels_weights_and_groups() -> None:
    assert statistics_columns(_study(**ARM, **SITE)) == [
        "AGE",
        "lab_ALT",
        "lab_CK",
        "SEX",
        "arm",
        "label_death",
        "weight_death",
        "slice_sex",
        "site",
    ]


@pytest.mark.parametrize("extra", [{}, ARM, ARM | SITE | {"training": {"site_as_feature": True}}])
def test_no_statistic_is_taken_of_the_subject_hash_and_none_twice(extra: dict[str, Any]) -> None:
    columns = statistics_columns(_study(**extra))
    assert SUBJECT_HASH not in columns
    assert len(set(columns)) == len(columns)
