"""What page, notebook and card say of intervals and prediction sets."""

from __future__ import annotations

from pipeline.results.uncertainty import COVERAGE, FEWEST_OF_GROUP

_SHARE = f"{COVERAGE:.0%}".replace("%", " %")

NO_SETS = (
    "This run has no intervals and no prediction sets for this task: too few subjects with, or "
    "without, the outcome to calibrate them on. (Runs of version 0.1.0 have none at all.)"
)

PROMISE = (
    f"A prediction set holds the outcome of {_SHARE} of the subjects with it, and of {_SHARE} of "
    "those without it, if new subjects are like draws from the population of this trial. Of the "
    f"subjects of one group that is so only where at least {FEWEST_OF_GROUP} of them with, or "
    "without, the outcome were there to calibrate sets of its own; of the others the table says "
    "what was measured. The interval promises no share: it is narrow where many subjects have "
    "similar predictions. Another case mix, other sites, later years, or wrong weights where "
    "follow-up ended early break this: then neither set nor interval promises anything until it "
    "is measured there."
)

MEASURED = "Measured on subjects that neither the model nor its intervals and sets were fitted to."
