"""How often the alarms fire in simulated years: stable ones, and such with a change.

A model of one task (or two) predicts subjects whose risk follows a normal score; it was trained
with a reference of its own in every simulated year, so that the noise of the reference counts as it
does in a real study. Outcomes come every week, alarms look every week, through the same function as
`trial monitor`. A change is found if its own alarm, in its own direction, has a look beyond the
boundary within 13 weeks.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.report import markdown_table
from benchmarks.simulated_years import FIRST, Risk, Year, draw_year
from pipeline.monitoring.alarms.judge import alarms
from pipeline.monitoring.alarms.spending import FALSE_ALARMS_A_YEAR
from pipeline.monitoring.alarms.state import Alarm, Direction, Kind

YEARS = 1000
MOST_FALSE = 0.07
LEAST_FOUND = 0.77

STABLE = (
    Year("500 outcomes a month"),
    Year("the same, two tasks and 30 features", tasks=2, features=30),
    Year("the same, performance alone", features=0),
    Year("5,000 a month", a_month=5000),
    Year("100 a month", a_month=100),
    Year("10 a month", a_month=10),
    Year("500 a month, rate .05", risk=Risk(0.05)),
    Year("500 a month, AUC .92", risk=Risk(0.25, 0.92)),
    Year("500 a month, a reference of 250", reference=250),
    Year("500 a month, a third of them censored", censored=1 / 3),
)

_TOO_HIGH: tuple[Kind, Direction] = ("calibration", "too_high")
_TOO_LOW: tuple[Kind, Direction] = ("calibration", "too_low")
_LOWER: tuple[Kind, Direction] = ("auc", "lower")

CHANGED = (
    Year("predictions .05 higher", shift=0.05, found_by=_TOO_HIGH),
    Year("rate .20, predictions as before", changed=Risk(0.20), found_by=_TOO_HIGH),
    Year(
        "rate .30, predictions as before", changed=Risk(0.30), found_by=("calibration", "too_low")
    ),
    Year("AUC .70", changed=Risk(auc=0.70), found_by=_LOWER),
    Year("AUC .75", changed=Risk(auc=0.75), found_by=_LOWER),
    Year("predictions .05 higher after half a year", shift=0.05, after=26, found_by=_TOO_HIGH),
    Year("AUC .70 after half a year", changed=Risk(auc=0.70), after=26, found_by=_LOWER),
    Year("a feature moved by .3 deviations", moved=0.3, found_by=("drift", "higher")),
)


CLAIMED = ("predictions .05 higher", "AUC .70")
"""Changes of which at least the share `LEAST_FOUND` is to be found."""


@dataclass(frozen=True)
class Found:
    """What alarms did in one simulated year.

    Attributes:
        any_fired: Whether any fired.
        kinds: Kinds of those that fired.
        in_time: Whether the change was found within three months.
    """

    any_fired: bool
    kinds: frozenset[Kind]
    in_time: bool


def simulate(
    year: Year, years: int = YEARS, false_alarms_a_year: float = FALSE_ALARMS_A_YEAR
) -> list[Found]:
    """Simulates years of one kind.

    Args:
        year: What happens in them.
        years: How many.
        false_alarms_a_year: Nominal error of a year.
    """
    drawn = (draw_year(year, number) for number in range(years))
    return [_summarise(alarms(*watched, false_alarms_a_year), year) for watched in drawn]


def _summarise(state: Sequence[Alarm], year: Year) -> Found:
    in_time = any(
        look.beyond and look.direction == year.found_by[1]
        for alarm in state
        if year.found_by and alarm.kind == year.found_by[0]
        for look in alarm.looks
        if look.week >= FIRST + dt.timedelta(weeks=year.after)
    )
    fired = [alarm for alarm in state if alarm.fired]
    return Found(bool(fired), frozenset(alarm.kind for alarm in fired), in_time)


def _percent(found: Sequence[bool]) -> str:
    return f"{100 * np.mean(found):.1f} %"


def main() -> int:
    """Simulates all kinds of years and writes both tables to the standard output.

    Returns:
        1 if alarms fire too often, or find a change too seldom that they are to find.
    """
    kinds: tuple[Kind, ...] = ("calibration", "auc", "drift", "missing", "risk_drift")
    rows, holds = [], True
    for year in STABLE:
        found = simulate(year)
        fired = [of.any_fired for of in found]
        holds &= bool(np.mean(fired) <= MOST_FALSE)
        by_kind = [_percent([kind in of.kinds for of in found]) for kind in kinds]
        rows.append([year.name, _percent(fired), *by_kind])
    out = markdown_table(["stable years", "any alarm", *(f"`{kind}`" for kind in kinds)], rows)
    changes = []
    for year in CHANGED:
        in_time = [of.in_time for of in simulate(year)]
        holds &= year.name not in CLAIMED or bool(np.mean(in_time) >= LEAST_FOUND)
        changes.append(
            [year.name, f"`{year.found_by[0]}`" if year.found_by else None, _percent(in_time)]
        )
    out += "\n" + markdown_table(["change", "alarm", "found within three months"], changes)
    sys.stdout.write(out)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
