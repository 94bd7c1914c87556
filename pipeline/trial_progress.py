"""What the numbers of a trial's progress are called, by TrialSummary, the store and the boards.

A number is a row of the store's table `trial_progress`. Which columns say what it is of:

| section | measure | by | value |
|---|---|---|---|
| enrolment | subjects | nothing; `site`; `period` (month) | subjects enrolled |
| disposition | subjects, share | `arm`, `category`: the reason | of the arm's subjects |
| exposure | mean, median | `arm`, `parameter`: what, with its unit | |
| adverse_events | share | `arm`, `category`: organ class, `severity` or any | subjects with one |
| adverse_events | risk_difference | the same, `arm` against the control | difference of shares |
| endpoint | mean | `arm`, `visit`, `parameter` | |
| completeness | share | `site`, `category`: dataset, or any | values that are not missing |

A column that does not apply is null, and so is one over which a number is taken: `severity` of
adverse events of any severity, `arm` of all arms together. Shares are between 0 and 1. Rows come
in the order in which they are to be shown: visits in time, the control first.
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
MEDIAN = "median"
RISK_DIFFERENCE = "risk_difference"

COMPLETED = "completed"
"""The category of subjects who came to the end of the trial, whatever the study calls it."""
