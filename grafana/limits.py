"""Limits from which a number needs attention: the same on boards, on the page and in alerts.

Thresholds of models and limits of the data gate are not here: studies set them, and the store has
them.
"""

from __future__ import annotations

GAP = 0.10
"""Difference of a rate between two groups beyond their intervals; alerts: its growth."""

DAYS_WITHOUT_SUCCESS = 7
"""Days since a study's last run that finished."""

DAYS_OF_DATA = 30
"""Age of the newest data."""

DAYS_OF_MODEL = 180
"""Age of the blessed model."""

COMPLETENESS = 0.90
"""Share of values that are not missing."""

ERRORS = 0.01
"""Share of a service's requests that end with a fault of the service."""

SECONDS_OF_A_REQUEST = 0.25
"""Seconds within which 99 of 100 predictions are answered; pods are added from 0.1 on."""

TIMES_THE_USUAL_FLAGS = 2.0
"""Share of subjects with a flag, in multiples of the week before."""

MORE_FLAGS = 0.05
"""What such a share must have beyond that: of a rare flag a few more are no sign."""

SUBJECTS_TO_JUDGE = 100
"""Fewest subjects of an hour, and of the week before, for a judgement on flags."""
