"""What is said of numbers of subjects where the outcome of some is unknown."""

from __future__ import annotations

COUNTS_DIFFER = (
    "The number of all subjects is that of those with a known outcome; in groups those without are "
    "counted too, so that the groups add up to more."
)
"""Where a number of all subjects stands above numbers of groups."""
