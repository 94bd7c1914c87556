"""Moments as the local clock showed them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.reading.formats.base import data_error, masked

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUARTER = 15 * 60
_FIXED = re.compile(r"([+-])(\d{2}):?(\d{2})")


def local_time(path: str, column: str, moments: pa.Array, zone: str | None) -> pa.Array:
    """Wall-clock time of moments, without fractions of a second.

    Args:
        path: The data file, for messages.
        column: The column, for messages.
        moments: Timestamps of any unit, with a zone or without one; shape [n].
        zone: Zone of the study file, an IANA name; None: the timestamps' own. Timestamps without
            a zone are wall-clock time already.

    Returns:
        pa.timestamp("s"), shape [n].

    Raises:
        DataFileError: The timestamps' zone is not known.
    """
    kind = moments.type
    # Arrow floors zoned timestamps by the zone's own clock, which skips hours; UTC skips none.
    in_utc = moments.cast(pa.timestamp(kind.unit))
    seconds = pc.floor_temporal(in_utc, unit="second").cast(pa.timestamp("s"), safe=False)
    zone = kind.tz and (zone or kind.tz)
    if zone is None or zone == "UTC":
        return seconds
    fixed = _FIXED.fullmatch(zone)
    if fixed:
        minutes = int(fixed[2]) * 60 + int(fixed[3])
        shift = timedelta(minutes=-minutes if fixed[1] == "-" else minutes)
        return pc.add(seconds, pa.scalar(shift, pa.duration("s")))
    try:
        clock = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise data_error(
            path,
            f"the zone '{zone}' of its timestamps is not known; write them with an IANA name such "
            "as Europe/Berlin, or say `zone` of the dataset in the study file",
            column=column,
        ) from error
    return _shifted(seconds, clock)


def _shifted(seconds: pa.Array, clock: ZoneInfo) -> pa.Array:
    """Moments in UTC as a clock shows them."""
    missing = seconds.is_null().to_numpy(zero_copy_only=False)
    in_utc = seconds.fill_null(0).cast(pa.int64()).to_numpy()
    # Clocks are set at quarters of an hour since there is a universal time.
    codes, quarters = pd.factorize(in_utc // _QUARTER)
    ahead = [_seconds_ahead(clock, int(quarter) * _QUARTER) for quarter in quarters]
    return masked(in_utc + np.array(ahead, np.int64)[codes], missing, pa.timestamp("s"))


def _seconds_ahead(clock: ZoneInfo, second: int) -> int:
    # Arrow's kernels have no daylight saving time after 2037.
    offset = (_EPOCH + timedelta(seconds=second)).astimezone(clock).utcoffset() or timedelta()
    return int(offset.total_seconds())
