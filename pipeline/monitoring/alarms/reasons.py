"""Why an alarm fired, in one sentence for people."""

from __future__ import annotations

from pipeline.estimates import fixed
from pipeline.monitoring.alarms import drift, performance
from pipeline.monitoring.alarms.state import Kind, Look

_AGAINST = {
    "training": "in training",
    "earlier": "in training and the earlier weeks of the year together",
}

_VALUES = {"higher": "are higher", "lower": "are lower", "other": "are others"}


def reason(kind: Kind, name: str, look: Look) -> str:
    """Why an alarm fired.

    Args:
        kind: What is watched.
        name: Name of the task or of the feature.
        look: The look that it fired at.

    Examples:
        >>> import datetime as dt
        >>> monday = dt.date(2025, 3, 3)
        >>> found = Look(monday, "training", 3.1, 2.9, 0.061, 0.004, 1480, "too_high")
        >>> reason("calibration", "death", found)
        'Predictions of death are too high: mean prediction minus observed rate is +0.061 of 1,480 \
subjects, +0.004 in training'
    """
    against, subjects = _AGAINST[look.comparison], f"{look.subjects:,} subjects"
    if kind == "calibration":
        how = "too high" if look.direction == "too_high" else "too low"
        return (
            f"Predictions of {name} are {how}: mean prediction minus observed rate is "
            f"{fixed(look.estimate, signed=True)} of {subjects}, "
            f"{fixed(look.expected, signed=True)} {against}"
        )
    if kind == "auc":
        return (
            f"The AUC of {name} is lower: {fixed(look.estimate)} of {subjects}, "
            f"{fixed(look.expected)} {against}"
        )
    if kind == "missing":
        return (
            f"Values of {name} are missing {'more' if look.direction == 'more' else 'less'} often: "
            f"{_percent(look.estimate)} of {subjects}, {_percent(look.expected)} {against}"
        )
    what = f"Predicted risks of {name}" if kind == "risk_drift" else f"Values of {name}"
    return (
        f"{what} {_VALUES[look.direction]}: bin {look.bin!r} has {_percent(look.estimate)} of "
        f"{subjects}, {_percent(look.expected)} {against}"
    )


def unjudged(kind: Kind) -> str:
    """Why nothing is judged yet.

    Examples:
        >>> unjudged("drift")
        'Not judged yet: fewer than 100 subjects came or are known of the training'
    """
    if kind in ("calibration", "auc"):
        return (
            f"Not judged yet: fewer than {performance.FEWEST} subjects with the outcome, or "
            "without it, came"
        )
    return f"Not judged yet: fewer than {drift.FEWEST} subjects came or are known of the training"


def quiet(look: Look) -> str:
    """That an alarm is off."""
    return f"As {_AGAINST[look.comparison]}, as far as {look.subjects:,} subjects show"


def _percent(share: float) -> str:
    return f"{fixed(100 * share, decimals=1)} %"
