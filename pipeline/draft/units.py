"""Units of measurements that change within what a row measures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.draft.roles import parameter_column

if TYPE_CHECKING:
    import pyarrow as pa

_UNITS = re.compile(r"\w\wstresu|avalu|\w*_?units?|\w\worresu", re.I)
"""Names of columns with the unit of a row's value, those of standard results first."""

_FEWEST_NAMED = 10
"""Fewest rows of a parameter that is named in a draft."""


@dataclass(frozen=True)
class MixedUnits:
    """Parameters whose rows have several units.

    Attributes:
        column: Column of the unit.
        parameters: Number of units of each such parameter that enough rows have.
    """

    column: str
    parameters: Mapping[str, int]


def mixed_units(columns: Mapping[str, pa.Array]) -> MixedUnits | None:
    """Looks for parameters whose rows have several units.

    Args:
        columns: Columns of a table, of one length.

    Returns:
        Those parameters, in alphabetical order; None without any, or without a column of units.
    """
    import pandas as pd

    parameter = parameter_column(columns)
    names = [name for name in columns if _UNITS.fullmatch(name)]
    if parameter is None or not names:
        return None
    unit = min(names, key=lambda name: "orresu" in name.lower())
    frame = pd.DataFrame({name: columns[name].to_pandas() for name in (parameter, unit)})
    of_parameter = frame.dropna().groupby(parameter)[unit]
    units = of_parameter.nunique()
    several = units[(units > 1) & (of_parameter.size() >= _FEWEST_NAMED)]
    found = {str(name): int(number) for name, number in several.sort_index().items()}
    return MixedUnits(unit, found) if found else None
