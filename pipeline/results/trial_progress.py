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
