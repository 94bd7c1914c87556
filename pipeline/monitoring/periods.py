"""Calendar weeks and months, UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from pipeline.study.sections.monitoring import CalendarPeriod

_LATE = timedelta(days=1)
"""How long after its end a period is waited for: writers add rows behind their answers."""


def start_of(day: date, period: CalendarPeriod) -> date:
    """First day of the period that a day is in.

    Examples:
        >>> start_of(date(2026, 3, 5), "month"), start_of(date(2026, 3, 5), "week")
        (datetime.date(2026, 3, 1), datetime.date(2026, 3, 2))
    """
    return day.replace(day=1) if period == "month" else day - timedelta(days=day.weekday())


def next_start(start: date, period: CalendarPeriod) -> date:
    """First day of the next period.

    Examples:
        >>> next_start(date(2026, 12, 1), "month"), next_start(date(2026, 3, 2), "week")
        (datetime.date(2027, 1, 1), datetime.date(2026, 3, 9))
    """
    if period == "week":
        return start + timedelta(days=7)
    return start_of(start + timedelta(days=31), "month")


def is_complete(start: date, period: CalendarPeriod, as_of: datetime) -> bool:
    """Whether a period ended a day or longer ago.

    Args:
        start: Its first day.
        period: Its length.
        as_of: Now.

    Examples:
        >>> moments = [datetime(2026, 4, day, tzinfo=UTC) for day in (1, 2)]
        >>> [is_complete(date(2026, 3, 1), "month", moment) for moment in moments]
        [False, True]
    """
    return datetime.combine(next_start(start, period), time(), UTC) + _LATE <= as_of
