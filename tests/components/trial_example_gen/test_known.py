"""What a later data cut says of each subject's outcome, and since when it is known."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from components.trial_example_gen.censoring import fit_censoring
from components.trial_example_gen.examples import BuiltExamples
from components.trial_example_gen.known import build_known
from pipeline.names import decided_on_key, ends_on_key, outcome_status_key
from pipeline.predictions.outcomes import CENSORED, OBSERVED, STATUSES, UNKNOWN
from pipeline.reading.plan import plan_outcomes
from tests.components.trial_example_gen.hand_made_trial import Reading, hand_made_study, make_trial

REFERENCE = date(2024, 1, 1)
"""Study day 1 of every subject who has one."""

DATED: dict[str, Any] = {
    "datasets.dm.columns.RFSTDTC": {"type": "date"},
    "datasets.dm.columns.LASTDY": {"type": "number"},
    "datasets.ae": {
        "file": "ae.csv",
        "format": "csv",
        "rows": "many_per_subject",
        "date": "AESTDTC",
        "columns": {
            "USUBJID": {"type": "text"},
            "AESTDTC": {"type": "text"},
            "AETERM": {"type": "text"},
        },
    },
    "subject.reference_date": "RFSTDTC",
    "window": {"column": "RFSTDTC", "end": "2020-12-31"},
    "tasks.stroke": {
        "kind": "outcome",
        "title": "A stroke by day 100",
        "horizon": 100,
        "event": {
            "dataset": "ae",
            "where": {"column": "AETERM", "equals": "STROKE"},
            "competing": {"column": "AETERM", "equals": "DEATH"},
            "follow_up": {"dataset": "dm", "day": "LASTDY"},
        },
    },
    "tasks.pain": {
        "kind": "adverse_event",
        "title": "Pain by day 100",
        "horizon": 100,
        "event": {"dataset": "ae", "where": {"column": "AETERM", "equals": "PAIN"}},
    },
}
DM = """
    USUBJID,SEX,DIED,RFSTDTC,LASTDY
    S1,F,Y,2024-01-01,50
    S2,M,N,2024-01-01,120
    S3,M,N,2024-01-01,60
    S4,F,N,2024-01-01,80
    S5,F,N,,120
    S6,F,N,2024-01-01,90
"""
AE = """
    USUBJID,AESTDTC,AETERM
    S1,2024-02-19,STROKE
    S4,2024-03-10,DEATH
    S6,2024-01-05,STROKE
"""


def built(tmp_path: Path, today: date | None = None) -> BuiltExamples:
    """The examples; no label needs AGE or laboratory values, and the cut has none."""
    (tmp_path / "dm.csv").write_text(DM.replace("    ", "").strip() + "\n")
    (tmp_path / "ae.csv").write_text(AE.replace("    ", "").strip() + "\n")
    plan = plan_outcomes(hand_made_study(DATED), str(tmp_path))
    joined = Reading(plan).joined
    assert joined.keys == ["S1", "S2", "S3", "S4", "S5", "S6"]
    return build_known(plan.study, joined, b"a key", today)


@pytest.fixture
def known(tmp_path: Path) -> dict[str, pa.Array]:
    """Columns of the examples."""
    return built(tmp_path).columns


def test_who_is_still_followed_is_not_in_the_model_of_censoring(tmp_path: Path) -> None:
    """The window of all who have a date ends on the 9th of April; S5 has none."""
    last, after = (built(tmp_path, date(2024, 4, day)) for day in (9, 10))

    assert sum(last.ends.values()) == 1
    assert sum(after.ends.values()) == 5
    study = plan_outcomes(hand_made_study(DATED), str(tmp_path)).study
    assert fit_censoring(study, Counter()).documents["stroke"].is_complete


def statuses(known: dict[str, pa.Array], task: str) -> list[str]:
    return [STATUSES[int(number)] for number in known[outcome_status_key(task)].to_pylist()]


def dates(column: pa.Array) -> list[str | None]:
    """Days since 1970-01-01 as text."""
    epoch = date(1970, 1, 1).toordinal()
    return [
        None if day is None else date.fromordinal(epoch + int(day)).isoformat()
        for day in column.to_pylist()
    ]


def test_an_event_a_competing_one_and_a_whole_follow_up_are_observed(
    known: dict[str, pa.Array],
) -> None:
    assert statuses(known, "stroke") == [OBSERVED, OBSERVED, CENSORED, OBSERVED, OBSERVED, UNKNOWN]
    assert known["label_stroke"].to_pylist()[:2] == [1, 0]


def test_an_outcome_is_known_since_its_day_or_the_end_of_its_window(
    known: dict[str, pa.Array],
) -> None:
    """S1's event is on study day 50, S4's death on day 70; S5 has no date that days count from."""
    assert dates(known[decided_on_key("stroke")]) == [
        *("2024-02-19", "2024-04-09", None, "2024-03-10", None, None)
    ]


def test_a_window_ends_with_the_day_of_the_horizon(
    known: dict[str, pa.Array],
) -> None:
    assert dates(known[ends_on_key("pain")]) == [*["2024-04-09"] * 4, None, "2024-04-09"]
    assert dates(known[ends_on_key("stroke")]) == dates(known[ends_on_key("pain")])


def test_a_state_without_a_day_is_known_since_no_day(known: dict[str, pa.Array]) -> None:
    assert statuses(known, "death") == [OBSERVED] * 6
    assert dates(known[decided_on_key("death")]) == [None] * 6


def test_a_partial_date_counts_from_the_earliest_day_that_it_may_be(tmp_path: Path) -> None:
    """An event in March: a prediction of 10 March may be after it."""
    dm = "USUBJID,AGE,SEX,DIED,RFSTDTC,LASTDY\nS1,61,F,Y,2024-01-01,120"
    trial = make_trial(tmp_path, DATED, dm=dm, ae="USUBJID,AESTDTC,AETERM\nS1,2024-03,STROKE")
    plan = plan_outcomes(trial.study, str(tmp_path))
    found = build_known(plan.study, Reading(plan).joined, b"a key").columns
    assert dates(found[decided_on_key("stroke")]) == ["2024-03-01"]


def test_the_row_that_decides_a_state_has_the_day(tmp_path: Path) -> None:
    task = {
        "kind": "response",
        "title": "High at last",
        "horizon": 100,
        "state": {
            "dataset": "lb",
            "where": {"column": "LBTESTCD", "equals": "ALT"},
            "positive": {"column": "LBNRIND", "equals": "HIGH"},
            "no_row": "negative",
        },
    }
    lb = """
        USUBJID,LBTESTCD,LBDY,LBSTRESN,LBNRIND
        S1,ALT,40,20,HIGH
        S1,ALT,60,20,HIGH
    """
    dm = """
        USUBJID,AGE,SEX,DIED,RFSTDTC,LASTDY
        S1,61,F,Y,2024-01-01,120
        S2,61,F,Y,2024-01-01,120
    """
    ae = "USUBJID,AESTDTC,AETERM"
    trial = make_trial(tmp_path, {**DATED, "tasks.high": task}, dm=dm, lb=lb, ae=ae)
    plan = plan_outcomes(trial.study, str(tmp_path))
    found = build_known(plan.study, Reading(plan).joined, b"a key").columns
    assert dates(found[decided_on_key("high")]) == ["2024-02-29", "2024-04-09"]
    assert found["label_high"].to_pylist() == [1, 0]
