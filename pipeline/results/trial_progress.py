"""Names of the numbers of a trial's progress in TrialSummary, the store and the boards.

A number is a row of the store's table `trial_progress`. Which columns say what it is of:

| section | measure | by | value |
|---|---|---|---|
| enrolment | subjects | nothing; `arm`; `site`; `period`; `site`, `period` | subjects enrolled |
| disposition | subjects, share | `arm` or all, `category`: the reason | of the arm's subjects |
| exposure | mean | `arm`, `parameter`: what, with its unit | of the treated subjects |
| adverse_events | share | `arm`, `category`: organ class or any, `severity` | of treated subjects |
| adverse_events | risk_difference | the same, `arm` against the control | difference of shares |
| endpoint | mean | `arm`, `visit`, `parameter` | of the subjects with a value |
| completeness | share | nothing; `site`; `category`: dataset | values that are not missing |

A column that does not apply is null, and so is one over which a number is taken: `arm` of all arms
together, `severity` of adverse events of any severity (otherwise a subject counts with the worst
one). Shares are between 0 and 1. Rows are in the order of display: visits in time, the control
first.

A period is a month (`YYYY-MM`), or several of few subjects under the name of the last; periods
follow each other without a gap, so that they add up to the curve of enrolment. `subjects` behind a
mean or a completeness is a lower bound if some subjects have no value. Disclosure control is
described in `components.trial_summary.disclosure`.
"""

from __future__ import annotations

from pipeline.documents import Count, Document
from pipeline.results.analysis import Absent

ENROLMENT = "enrolment"
DISPOSITION = "disposition"
EXPOSURE = "exposure"
ADVERSE_EVENTS = "adverse_events"
ENDPOINT = "endpoint"
COMPLETENESS = "completeness"

SUBJECTS = "subjects"
SHARE = "share"
MEAN = "mean"
RISK_DIFFERENCE = "risk_difference"

COMPLETED = "completed"
"""The category of subjects who completed the trial, whatever the study's term for it."""


class ProgressRecord(Document):
    """A number of the summary; the table above says which keys it has.

    Attributes:
        section: What it is about.
        measure: What the number is.
        value: The number.
        subjects: Subjects behind it.
        arm: The arm; this and what follows are null where they do not apply.
        site: The site.
        period: The last month (`YYYY-MM`) of one or several.
        category: System organ class, reason of disposition, dataset.
        severity: Severity of the worst adverse event.
        visit: The visit.
        parameter: What was measured.
        lower: Lower end of its 95 % interval.
        upper: Upper end.
    """

    section: str
    measure: str
    value: float
    subjects: Count | None = None
    arm: str | None = None
    site: str | None = None
    period: str | None = None
    category: str | None = None
    severity: str | None = None
    visit: str | None = None
    parameter: str | None = None
    lower: float | None = None
    upper: float | None = None


class TrialSummaryDocument(Document):
    """`summary.json`.

    Attributes:
        smallest_group: Fewest subjects behind a number that is shown.
        records: The numbers, in the order in which they are to be shown.
        absent: Missing sections, with reasons.
        absent_levels: Values that the study file names under `summary` and that no row has, one
            line for people for each place.
    """

    smallest_group: Count
    records: tuple[ProgressRecord, ...]
    absent: tuple[Absent, ...]
    absent_levels: tuple[str, ...] = ()
