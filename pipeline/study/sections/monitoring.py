"""The section `monitoring`: how `trial monitor` divides time."""

from __future__ import annotations

from typing import Literal

from pipeline.documents import StrictModel

CalendarPeriod = Literal["week", "month"]
"""A calendar week from Monday on, or a calendar month; UTC."""


class MonitoringRules(StrictModel):
    """How the predictions of a served model are watched.

    Attributes:
        period: Length of the periods that numbers are shown for. The alarms look every week.
    """

    period: CalendarPeriod = "month"
