"""The order in which the groups of a slicing are shown."""

from __future__ import annotations

import math
import re

_BAND = re.compile(r"(<|>=)?(\d+(?:\.\d+)?)(?: to <.*)?")


def rising(value: str) -> tuple[float, str]:
    """Key of a group: bands of a number in their order, before texts in theirs.

    Args:
        value: The group, such as `<50`, `50 to <65` or `F`.

    Examples:
        >>> sorted(["M", ">=65", "50 to <65", "<50", "F"], key=rising)
        ['<50', '50 to <65', '>=65', 'F', 'M']
    """
    band = _BAND.fullmatch(value)
    if not band:
        return math.inf, value
    return (-math.inf if band[1] == "<" else float(band[2])), value
