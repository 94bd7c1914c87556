"""Labels of one task, and the reason of each that is unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.trial_example_gen.ends import Ends
from pipeline.reading.joined import JoinedRows
from pipeline.results.counts import MaskReason

REASONS = tuple(MaskReason)
"""Reasons by number, from 1; 0 is a known label."""
_NUMBERS = {reason: number for number, reason in enumerate(REASONS, start=1)}


@dataclass(frozen=True)
class Labels:
    """Labels of one task.

    Attributes:
        positive: Booleans, shape [n]; false where unknown.
        reason: Why the label is unknown, shape [n]: a number of `REASONS`, 0 where it is known.
        ends: How the observation of each subject ended; None for a task whose follow-up counts as
            complete.
        decided: Earliest study day on which the label may have been known, float64 `[n]`: that of
            the event, of the row that decides, or the horizon; NaN where no day says it, and where
            it does not matter.
    """

    positive: NDArray[Any]
    reason: NDArray[Any]
    ends: Ends | None = None
    decided: NDArray[np.float64] | None = None

    @property
    def known(self) -> NDArray[np.bool_]:
        """Booleans, shape [n]; false masks the subject for this task."""
        return self.reason == 0


class Masks:
    """Collects why labels are unknown: of several reasons of a subject the first one stays."""

    def __init__(self, n: int) -> None:
        """Masks no subject.

        Args:
            n: Number of subjects.
        """
        self._reason = np.zeros(n, np.int64)

    def add(self, unknown: NDArray[np.bool_], reason: MaskReason) -> None:
        """Masks subjects that are not masked yet.

        Args:
            unknown: Booleans, shape [n].
            reason: Why.
        """
        self._reason[unknown & (self._reason == 0)] = _NUMBERS[reason]

    def add_all(self, labels: Labels) -> None:
        """Masks the subjects that other labels mask and that are not masked yet."""
        np.copyto(self._reason, labels.reason, where=self._reason == 0)

    def labels(
        self,
        positive: NDArray[Any],
        ends: Ends | None = None,
        decided: NDArray[np.float64] | None = None,
    ) -> Labels:
        """Labels of all subjects.

        Args:
            positive: Booleans, shape [n]; what they say of masked subjects does not count.
            ends: How the observation of each subject ended; where the label is unknown for another
                reason than the end of follow-up, they don't count either.
            decided: Earliest study day on which each label may have been known.
        """
        known = self._reason == 0
        if ends is not None:
            ends = ends.only(known | (self._reason == _NUMBERS[MaskReason.NOT_FOLLOWED]))
        return Labels(positive & known, self._reason, ends, decided)


def any_of(rows: JoinedRows, mask: NDArray[np.bool_], n: int) -> NDArray[np.bool_]:
    """Whether a subject has a row for which `mask` is true.

    Args:
        rows: Rows of n subjects.
        mask: Booleans, shape [rows].
        n: Number of subjects.

    Returns:
        Booleans, shape [n].
    """
    return np.bincount(rows.subject[mask], minlength=n) > 0
