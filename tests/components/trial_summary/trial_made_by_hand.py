"""A trial made by hand: 45 with treatment A, 40 with the control P; the smallest group is 10.

Site 1 has 45 of them, site 2 has 35, site 3 the last five. All were enrolled in March 2024 but
the last 12, in April. All subjects of A and P were treated.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import apache_beam as beam
import pandas as pd
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from components.trial_summary.graph import SUMMARY_FILE, write_summary
from pipeline.reading.plan import plan_summary
from pipeline.study.load import parse_study
from pipeline.study.study import Study

SUMMARY = {
    "enrolment": "RANDDT",
    "disposition": {"column": "STATUS", "completed": "DONE"},
    "exposure": {"days": "DAYS"},
    "adverse_events": {
        "dataset": "ae",
        "where": {"column": "TRTEMFL", "equals": "Y"},
        "category": "SOC",
        "severity": "SEV",
        "severities": ["MILD", "SEVERE"],
    },
    "endpoints": {
        "score": {
            "title": "Score",
            "dataset": "qs",
            "value": "AVAL",
            "visit": "VISIT",
            "order": "VISITNUM",
        }
    },
}


def study_of(**changes: Any) -> Study:
    """The study file, with other keys."""
    text = {"type": "text", "known": "after"}
    number = {"type": "number", "known": "after"}
    many = {"format": "csv", "rows": "many_per_subject", "known": "after"}
    content = {
        "study": "hand",
        "title": "Made by hand",
        "datasets": {
            "dm": {
                "file": "dm.csv",
                "format": "csv",
                "rows": "one_per_subject",
                "columns": {
                    "USUBJID": text,
                    "ARM": {"type": "text", "known": "baseline"},
                    "DOSE": {"type": "text", "known": "baseline"},
                    "SITE": {"type": "text", "known": "baseline"},
                    "AGE": {"type": "number", "known": "baseline"},
                    "RANDDT": {"type": "date", "known": "baseline"},
                    "STATUS": text,
                    "DAYS": number,
                },
            },
            "ae": {
                "file": "ae.csv",
                **many,
                "columns": {
                    name: {"type": "text"} for name in ("USUBJID", "SOC", "SEV", "TRTEMFL")
                },
            },
            "qs": {
                "file": "qs.csv",
                **many,
                "columns": {
                    "USUBJID": {"type": "text"},
                    "VISIT": {"type": "text"},
                    "VISITNUM": {"type": "number"},
                    "AVAL": {"type": "number"},
                },
            },
        },
        "subject": {"dataset": "dm", "column": "USUBJID"},
        "arm": {"columns": ["ARM"], "control": "P"},
        "site": {"column": "SITE"},
        "features": {"AGE": {"kind": "number"}},
        "tasks": {
            "left": {
                "kind": "outcome",
                "title": "Left",
                "state": {"positive": {"column": "STATUS", "equals": "LEFT"}},
            }
        },
        "slicing": {"smallest_group": 10},
        "summary": SUMMARY,
    }
    return parse_study({**content, **changes}, "the test")


def write_trial(folder: Path) -> Path:
    """Writes the trial's files."""
    n = range(85)
    arm = ["A"] * 40 + ["P"] * 40 + ["A"] * 5
    site = ["1"] * 45 + ["2"] * 35 + ["3"] * 5
    pd.DataFrame(
        {
            "USUBJID": [f"S{i:02d}" for i in n],
            "ARM": arm,
            "DOSE": ["B" if i >= 80 else arm[i] for i in n],
            "SITE": site,
            # Four of the first site have no age.
            "AGE": [None if i < 4 else 50 + i % 7 for i in n],
            "RANDDT": ["2024-03-05" if i < 73 else "2024-04-09" for i in n],
            # 25 of A are done and 20 left; 30 and 10 of P.
            "STATUS": ["DONE" if i < 25 or 40 <= i < 70 else "LEFT" for i in n],
            "DAYS": [100 + i % 2 * 20 for i in n],
        }
    ).to_csv(folder / "dm.csv", index=False)
    events = [(f"S{i:02d}", "SKIN", "MILD", "Y") for i in range(20)]
    # The first twelve of them have a second one, which is severe.
    events += [(f"S{i:02d}", "SKIN", "SEVERE", "Y") for i in range(12)]
    events += [(f"S{i:02d}", "SKIN", "MILD", "Y") for i in range(40, 50)]
    # Rare: three of A.
    events += [(f"S{i:02d}", "EYE", "MILD", "Y") for i in range(3)]
    # Before treatment: does not count.
    events += [(f"S{i:02d}", "SKIN", "SEVERE", "N") for i in range(50, 80)]
    frame = pd.DataFrame(events, columns=["USUBJID", "SOC", "SEV", "TRTEMFL"])
    frame.to_csv(folder / "ae.csv", index=False)
    visits = [
        (f"S{i:02d}", name, number, 10.0 + number + (arm[i] == "A") + i % 2)
        for i in range(80)
        for name, number in (("Week 10", 10), ("Week 2", 2))
    ]
    frame = pd.DataFrame(visits, columns=["USUBJID", "VISIT", "VISITNUM", "AVAL"])
    frame.to_csv(folder / "qs.csv", index=False)
    return folder


def summarised(study: Study, data: Path, folder: Path) -> dict[str, Any]:
    """What TrialSummary's graph writes of a trial."""
    folder.mkdir(exist_ok=True)
    with beam.Pipeline(runner=FnApiRunner()) as root:
        write_summary(root, plan_summary(study, str(data)), str(folder))
    return json.loads((folder / SUMMARY_FILE).read_text())


def rows(summary: dict[str, Any], section: str, measure: str, **of: Any) -> list[dict[str, Any]]:
    """Records of a measure that have these values."""
    wanted = {"section": section, "measure": measure, **of}
    return [
        record
        for record in summary["records"]
        if all(record[name] == value for name, value in wanted.items())
    ]


def value(summary: dict[str, Any], section: str, measure: str, **of: Any) -> float:
    """The value of the one record that is by these and by nothing else."""
    names = ("arm", "site", "period", "category", "severity", "visit")
    (record,) = rows(summary, section, measure, **{name: of.get(name) for name in names})
    return record["value"]
