"""A column is read as dates or as text, never as one here and the other there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from tests.components.trial_example_gen.hand_made_trial import (
    SUPP,
    events_dataset,
    make_trial,
    supplement_dataset,
)

DATED: dict[str, Any] = {
    "datasets.dm.columns.RFSTDTC": {"type": "text", "known": "baseline"},
    "subject.reference_date": "RFSTDTC",
    "datasets.ae": events_dataset(date="AESTDTC"),
    "datasets.ae.columns.AESTDTC": {"type": "text"},
    "datasets.ae.columns.ONSET": {"type": "date"},
    "datasets.suppae": supplement_dataset("ae"),
    "tasks.rash": {
        "kind": "adverse_event",
        "title": "Rash",
        "horizon": 90,
        "event": {"dataset": "ae", "where": {"column": "AEDECOD", "equals": "Rash"}},
    },
}


def refusal(folder: Path, changes: dict[str, Any]) -> str:
    """What is said of the trial with further keys."""
    with pytest.raises(UserError) as caught:
        _ = make_trial(
            folder,
            DATED | changes,
            dm=["USUBJID,AGE,SEX,DIED,RFSTDTC", "S1,61,F,Y,2014-01-05"],
            ae=["USUBJID,AEDECOD,AESTDTC", "S1,Rash,2014-03-01"],
            suppae=[SUPP, "S1,,,ONSET,2014-02-01"],
        ).joined
    return str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("features.start", {"kind": "category", "column": "RFSTDTC"}, "features.start"),
        ("arm", {"columns": ["RFSTDTC"], "control": "2014-01-05"}, "arm.columns"),
        ("site", {"column": "RFSTDTC"}, "site.column"),
        ("slicing", {"by": {"start": {"column": "RFSTDTC"}}}, "slicing.by.start"),
    ],
)
def test_a_column_of_dates_is_no_category_arm_site_or_slice(
    tmp_path: Path, key: str, value: Any, place: str
) -> None:
    message = refusal(tmp_path, {key: value})
    assert message.startswith(f"{place}: column RFSTDTC of dataset dm is read as dates elsewhere")


def test_a_condition_compares_no_text_with_dates(tmp_path: Path) -> None:
    where = {"column": "AESTDTC", "equals": "2014-03-01"}
    message = refusal(tmp_path, {"tasks.rash.event.where": where})
    assert message.startswith(
        "tasks.rash.event.where: column AESTDTC holds a date: only `present` can be asked of it"
    )


@pytest.mark.parametrize("kind", ["date", "text"])
@pytest.mark.parametrize(
    ("key", "place"),
    [("tasks.rash.event.date", "tasks.rash.event.date"), ("datasets.ae.date", "datasets.ae.date")],
)
def test_dates_are_not_read_from_qualifiers(
    tmp_path: Path, key: str, place: str, kind: str
) -> None:
    changes = {key: "ONSET", "datasets.ae.columns.ONSET": {"type": kind}}
    message = refusal(tmp_path, changes)
    assert message.startswith(f"{place}: column ONSET is not in the files of dataset ae: only")
