"""Words that belong to one scheme of evaluation."""

from __future__ import annotations

import re

_SPLITS = re.compile(r"\b(test|eval|train) (split|subjects)\b|>(eval|test)<", re.IGNORECASE)


def names_a_split(text: str) -> bool:
    """Whether a text for people speaks of the splits of `scheme: split`."""
    return bool(_SPLITS.search(text))
