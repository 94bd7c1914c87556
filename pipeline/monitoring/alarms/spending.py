"""How the error of a year is shared out over what is watched, and spent over its weeks.

Lan KKG, DeMets DL. Discrete sequential boundaries for clinical trials. Biometrika 1983;70:659-663:
a function says how much of the error may be spent by a time; a look spends what it has grown since
the last one, whenever that was. Calendar time is used: Lan KKG, DeMets DL. Group sequential
procedures: calendar versus information time. Statistics in Medicine 1989;8:1191-1198.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

YEAR = 52
"""Weeks of a year of looks; then the error of the next year begins."""

WINDOW = 13
"""Weeks that a change is looked for in: three months."""

FALSE_ALARMS_A_YEAR = 0.05

Test = Literal["calibration", "calibration change", "auc", "auc change", "inputs"]

SHARES: Mapping[Test, float] = MappingProxyType(
    {
        "calibration": 0.60,
        "calibration change": 0.14,
        "auc": 0.12,
        "auc change": 0.04,
        "inputs": 0.10,
    }
)
"""Of the error of a year. Calibration has most: .05 is hard to find beside a reference of 1,000
subjects, a drop of AUC by .10 and a moved feature are easy."""

_FIRST_QUARTER = 0.8
"""Of the error of a comparison with the training, spent within three months."""


def spent_on_level(weeks: int) -> float:
    """Share of a year's error that comparisons with the training may have spent by a week.

    Four fifths within three months, most of it at their end, when outcomes are many enough to tell;
    the rest evenly over the year.

    Args:
        weeks: Weeks since the beginning of the year, from 1.

    Examples:
        >>> [round(spent_on_level(weeks), 3) for weeks in (1, 6, 13, 26, 52)]
        [0.004, 0.102, 0.85, 0.9, 1.0]
    """
    return _FIRST_QUARTER * min(weeks / WINDOW, 1) ** 3 + (1 - _FIRST_QUARTER) * weeks / YEAR


def spent_on_change(weeks: int) -> float:
    """The same of comparisons with earlier weeks: evenly, from the first that has earlier ones.

    Examples:
        >>> [spent_on_change(weeks) for weeks in (13, 14, 52)]
        [0.0, 0.02564102564102564, 1.0]
    """
    return max(weeks - WINDOW, 0) / (YEAR - WINDOW)
