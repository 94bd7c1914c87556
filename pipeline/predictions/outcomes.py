"""Rows of outcomes in the prediction log: what became known of subjects who had been predicted.

This is the one place that says what such a row is, for all that they are kept in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import pyarrow as pa

from pipeline.names import SUBJECT_HASH
from pipeline.predictions.rows import STUDY, TASK

OUTCOME = "outcome"
STATUS = "status"
WEIGHT = "weight"
KNOWN_AT = "known_at"
RECORDED_AT = "recorded_at"
CUT = "cut"

Status = Literal["observed", "censored", "unknown"]
OBSERVED: Status = "observed"
CENSORED: Status = "censored"
UNKNOWN: Status = "unknown"
STATUSES: tuple[Status, ...] = (OBSERVED, CENSORED, UNKNOWN)

OUTCOME_ROWS = pa.schema(
    [
        (STUDY, pa.string()),
        (TASK, pa.string()),
        (SUBJECT_HASH, pa.string()),
        (OUTCOME, pa.int8()),
        (STATUS, pa.string()),
        (WEIGHT, pa.float32()),
        (KNOWN_AT, pa.timestamp("us", "UTC")),
        (RECORDED_AT, pa.timestamp("us", "UTC")),
        (CUT, pa.string()),
    ]
)
"""Columns of the outcomes, one row for each subject and task of a data cut:

- `study`, `task`, `subject_hash`: of what and of whom, as in the rows of predictions;
- `outcome`: 1 or 0; null where it is not known;
- `status`: `observed`; `censored` where the follow-up is not complete; `unknown` where it is not
  known for another reason;
- `weight`: inverse probability of being observed, by the cut's own model of censoring: 1 where no
  subject is censored, 0 where the outcome is not known;
- `known_at`: since when the outcome was known: the end of its day, where the study's dates give
  one, otherwise `recorded_at`; never later than `recorded_at`;
- `recorded_at`, `cut`: when the cut was recorded, and its fingerprint.
"""


@dataclass(frozen=True)
class RecordedCut:
    """A data cut whose outcomes are recorded: all of them, or none.

    Attributes:
        study: Name of the study.
        fingerprint: Of study file and data: a cut that is recorded again is the same one.
        recorded_at: When it is recorded.
    """

    study: str
    fingerprint: str
    recorded_at: datetime
