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
