"""Qualifiers (SUPP--) as columns of the arm, the site, a slice and the landmark's day."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from components.trial_example_gen.examples import build_examples
from pipeline.names import ARM, SITE, slice_key
from tests.components.trial_example_gen.hand_made_trial import (
    SUPP,
    Trial,
    events_dataset,
    make_trial,
    supplement_dataset,
)

DM = [
    "USUBJID,AGE,SEX,DIED,RFSTDTC,RANDTM",
    *(f"S{i},6{i},F,Y,2014-01-05,09:30" for i in (1, 2, 3)),
]


def trial_of(
    folder: Path,
    of_subjects: Sequence[str] = (),
    of_events: Sequence[str] = (),
    changes: dict[str, Any] | None = None,
) -> Trial:
    """Three subjects, each with a rash on study day 1, and the qualifiers of both."""
    described = events_dataset(day="AESTDY")
    described["columns"] |= {name: {"type": "text"} for name in ("AEAFTER", "AETM")}
    columns = {
        f"datasets.dm.columns.{name}": {"type": "text", "known": "baseline"}
        for name in ("TRTGRP", "DOSE", "CENTRE", "REGION", "RANDTM")
    }
    rash = {
        "kind": "adverse_event",
        "title": "Rash",
        "horizon": 90,
        "event": {"dataset": "ae", "where": {"column": "AEDECOD", "equals": "Rash"}},
    }
    return make_trial(
        folder,
        {
            "landmark": "baseline",
            "datasets.suppdm": supplement_dataset("dm"),
            "datasets.ae": described,
            "datasets.suppae": supplement_dataset("ae"),
            "tasks.rash": rash,
            **columns,
            **(changes or {}),
        },
        dm=DM,
        ae=["USUBJID,AESEQ,AEDECOD,AESTDY", *(f"S{i},1,Rash,1" for i in (1, 2, 3))],
        suppdm=[SUPP, *of_subjects],
        suppae=[SUPP, *of_events],
    )


def column(trial: Trial, name: str) -> list[Any]:
    """A column of the examples, in the order of the subjects."""
    return list(build_examples(trial.study, trial.joined, b"key").columns[name].to_pylist())


def test_arm_and_site_can_be_qualifiers(tmp_path: Path) -> None:
    trial = trial_of(
        tmp_path,
        ["S1,,,TRTGRP,Active", "S2,,,TRTGRP,Placebo", "S1,,,CENTRE,07", "S3,,,CENTRE, 08 "],
        changes={
            "arm": {"columns": ["TRTGRP"], "control": "Placebo"},
            "site": {"column": "CENTRE"},
        },
    )
    assert column(trial, ARM) == ["Active", "Placebo", None]
    assert column(trial, SITE) == ["07", None, "08"]
    arms = build_examples(trial.study, trial.joined, b"key").arms
    assert arms is not None
    assert arms.tolist() == ["Active", "Placebo", "missing"]


def test_an_arm_can_be_a_column_combined_with_a_qualifier(tmp_path: Path) -> None:
    trial = trial_of(
        tmp_path,
        ["S1,,,DOSE,high", "S2,,,DOSE,low"],
        changes={"arm": {"columns": ["SEX", "DOSE"], "control": "F/low"}},
    )
    assert column(trial, ARM) == ["F/high", "F/low", None]


def test_a_rejected_qualifier_leaves_the_arm_unknown(tmp_path: Path) -> None:
    trial = trial_of(
        tmp_path,
        ["S1,,,TRTGRP,Active", "S2,,,TRTGRP,Placebo", "S2,AESEQ,9,TRTGRP,Active"],
        changes={"arm": {"columns": ["TRTGRP"], "control": "Placebo"}},
    )
    assert column(trial, ARM) == ["Active", None, None]


def test_a_slice_can_be_formed_by_a_qualifier(tmp_path: Path) -> None:
    trial = trial_of(
        tmp_path,
        ["S1,,,REGION,North", "S2,,,REGION,South"],
        changes={"slicing": {"by": {"region": {"column": "REGION"}}}},
    )
    assert column(trial, slice_key("region")) == ["North", "South", "missing"]


@pytest.mark.parametrize(
    "landmark_day",
    [{"column": "AEAFTER", "equals": "Y"}, {"column": "AETM", "landmark": "RANDTM"}],
)
def test_a_qualifier_says_what_is_after_the_landmark_on_its_day(
    tmp_path: Path, landmark_day: dict[str, Any]
) -> None:
    trial = trial_of(
        tmp_path,
        of_events=[
            "S1,AESEQ,1,AEAFTER,Y",
            "S1,AESEQ,1,AETM,14:05",
            "S2,AESEQ,1,AEAFTER,N",
            "S2,AESEQ,1,AETM,08:00",
        ],
        changes={"tasks.rash.event.landmark_day": landmark_day},
    )
    assert trial.label("rash") == {"S1": True, "S2": None, "S3": None}
    assert trial.reason("rash")["S2"] == "event at or before the landmark"
    assert trial.reason("rash")["S3"] == "event on the landmark's day"


@pytest.mark.parametrize(
    ("landmark_day", "name"),
    [
        ({"column": "AEAFTER", "equals": "Y"}, "AEAFTER"),
        ({"column": "AETM", "landmark": "RANDTM"}, "AETM"),
    ],
)
def test_a_rejected_qualifier_leaves_open_what_is_after_the_landmark(
    tmp_path: Path, landmark_day: dict[str, Any], name: str
) -> None:
    trial = trial_of(
        tmp_path,
        of_events=[
            "S1,AESEQ,1,AEAFTER,Y",
            "S1,AESEQ,1,AETM,14:05",
            f"S1,AESEQ,7,{name},N",
        ],
        changes={"tasks.rash.event.landmark_day": landmark_day},
    )
    assert trial.label("rash")["S1"] is None
    assert trial.reason("rash")["S1"] == "rejected row"


def test_the_landmarks_own_time_can_be_a_qualifier(tmp_path: Path) -> None:
    trial = trial_of(
        tmp_path,
        of_subjects=["S1,,,REGION,13:00", "S2,,,REGION,15:00"],
        of_events=[f"S{i},AESEQ,1,AETM,14:05" for i in (1, 2, 3)],
        changes={"tasks.rash.event.landmark_day": {"column": "AETM", "landmark": "REGION"}},
    )
    assert trial.label("rash") == {"S1": True, "S2": None, "S3": None}


def test_a_rejected_qualifier_leaves_the_landmarks_own_time_open(tmp_path: Path) -> None:
    trial = trial_of(
        tmp_path,
        of_subjects=["S1,,,REGION,13:00", "S1,AESEQ,9,REGION,15:00"],
        of_events=["S1,AESEQ,1,AETM,14:05"],
        changes={"tasks.rash.event.landmark_day": {"column": "AETM", "landmark": "REGION"}},
    )
    assert trial.label("rash")["S1"] is None
