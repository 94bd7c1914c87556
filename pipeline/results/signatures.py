"""Signatures of a served model that take a subject's columns by name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.errors import UserError

COLUMNS_SIGNATURE = "columns"
"""Signature that takes each feature as an argument."""

SLICES_SIGNATURE = f"{COLUMNS_SIGNATURE}_with_slices"
"""Signature that takes what `columns` takes and each slicing's value, as `slice_key` names it."""


def of_columns(signature: str) -> str:
    """Name of the signature that takes what `columns` takes and answers as another.

    Examples:
        >>> of_columns("contributions")
        'columns_contributions'
    """
    return f"{COLUMNS_SIGNATURE}_{signature}"


def argument_names(features: Sequence[str]) -> dict[str, str]:
    """Argument of the `columns` signature for every feature.

    Args:
        features: Columns that the model reads.

    Returns:
        Argument by column: its name, with `_` for characters that TensorFlow does not allow, and
        `x` prepended if it does not start with a letter.

    Raises:
        UserError: Two columns get the same name.

    Examples:
        >>> argument_names(["AGE", "lab-ALT"])
        {'AGE': 'AGE', 'lab-ALT': 'lab_ALT'}
    """
    names: dict[str, str] = {}
    for column in features:
        name = re.sub(r"[^A-Za-z0-9_]", "_", column)
        name = name if name[:1].isalpha() else f"x{name}"
        twin = next((other for other, taken in names.items() if taken == name), None)
        if twin is not None:
            raise UserError(
                f"Features {twin!r} and {column!r} are both {name!r} to the served model: "
                "rename one of them in the study file."
            )
        names[column] = name
    return names
