"""Times to the endpoints of the researcher's analysis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.trial_example_gen.times import derive_times
from pipeline.errors import UserError
from tests.components.trial_example_gen.hand_made_trial import make_trial

ENDPOINT: dict[str, Any] = {
    "datasets.tte": {
        "file": "tte.csv",
        "format": "csv",
        "rows": "many_per_subject",
        "columns": {
            "USUBJID": {"type": "text"},
            "PARAMCD": {"type": "text"},
            "AVAL": {"type": "number"},
            "CNSR": {"type": "number"},
        },
    },
    "analysis.time_to_event.rash": {
        "title": "First rash",
        "dataset": "tte",
        "where": {"column": "PARAMCD", "equals": "RASH"},
        "time": "AVAL",
        "event": {"column": "CNSR", "equals": 0},
    },
}


def times(folder: Path, *rows: str, **changes: Any) -> list[tuple[float, float]]:
    """Time and event of S1 and S2 with these rows (subject, parameter, time, censoring)."""
    tte = ["USUBJID,PARAMCD,AVAL,CNSR", *rows]
    trial = make_trial(folder, {**ENDPOINT, **changes}, tte=tte)
    found = derive_times(trial.study, trial.joined)
    columns = [found[name].to_numpy(zero_copy_only=False) for name in sorted(found, reverse=True)]
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_a_time_is_that_of_an_event_or_of_censoring(tmp_path: Path) -> None:
    assert times(tmp_path, "S1,RASH,30,0", "S2,RASH,90,1") == [(30, 1), (90, 0)]


def test_rows_of_another_parameter_do_not_count(tmp_path: Path) -> None:
    assert times(tmp_path, "S1,DEATH,7,0", "S1,RASH,30,0", "S2,RASH,90,1")[0] == (30, 1)


def test_of_several_rows_the_earliest_counts_and_at_the_same_time_the_event(
    tmp_path: Path,
) -> None:
    rows = ["S1,RASH,50,1", "S1,RASH,30,0", "S2,RASH,90,0", "S2,RASH,90,1"]
    assert times(tmp_path, *rows) == [(30, 1), (90, 1)]


@pytest.mark.parametrize("row", ["S2,RASH,,0", "S2,RASH,90,", "S2,RASH,-1,0"])
def test_a_subject_without_time_or_without_event_status_is_unknown(
    tmp_path: Path, row: str
) -> None:
    assert np.isnan(times(tmp_path, "S1,RASH,30,0", row)[1]).all()


def test_a_time_in_the_subjects_own_row_needs_no_dataset(tmp_path: Path) -> None:
    changes = {
        "datasets.dm.columns.AGE": {"type": "number", "range": [0, 120]},
        "features": {
            "ALT": {
                "kind": "number",
                "dataset": "lb",
                "column": "LBSTRESN",
                "where": {"column": "LBTESTCD", "equals": "ALT"},
                "aggregate": "last",
            }
        },
        "analysis.time_to_event.rash": {
            "title": "Death",
            "time": "AGE",
            "event": {"column": "DIED", "equals": "Y"},
        },
    }
    assert times(tmp_path, **changes) == [(61, 1), (72, 0)]


def test_a_time_of_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"analysis\.time_to_event\.rash\.time: column PARAMCD"):
        times(tmp_path, **{"analysis.time_to_event.rash.time": "PARAMCD"})
