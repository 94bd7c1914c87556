"""How the observation of each subject for a task ended, and when: what its weights are made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class EndKind(IntEnum):
    """How the observation of a subject for a task ended."""

    OUTSIDE = 0
    """Not in the model of censoring: the label is unknown for another reason, or the subject was
    not observed after the landmark."""
    EVENT = 1
    COMPETING = 2
    COMPLETE = 3
    """Observed up to the horizon, without an event."""
    CENSORED = 4


@dataclass(frozen=True)
class Ends:
    """Ends of the observation of n subjects for a task.

    Attributes:
        time: Study day of the end, float64 `[n]`; the horizon where it was reached, NaN for
            `OUTSIDE`.
        kind: Number of `EndKind`, int8 `[n]`.
    """

    time: NDArray[np.float64]
    kind: NDArray[np.int8]

    @classmethod
    def of(
        cls,
        event: NDArray[np.float64],
        competing: NDArray[np.float64],
        last: NDArray[np.float64],
        horizon: float,
    ) -> Ends:
        """Ends of subjects of whom at most one kind of event counts.

        Args:
            event: Day of the event, infinite without one that counts; shape [n].
            competing: The same of the competing event.
            last: Last day on which the subject was observed, minus infinity without one.
            horizon: Last study day that counts.
        """
        kinds = (
            (np.isfinite(event), EndKind.EVENT, event),
            (np.isfinite(competing), EndKind.COMPETING, competing),
            (last >= horizon, EndKind.COMPLETE, np.full(len(last), horizon)),
        )
        where = [met for met, _, _ in kinds]
        kind = np.select(where, [k for _, k, _ in kinds], EndKind.CENSORED).astype(np.int8)
        return cls(np.select(where, [time for _, _, time in kinds], last), kind)

    def only(self, inside: NDArray[np.bool_]) -> Ends:
        """The same with all other subjects outside of the model.

        Args:
            inside: Booleans, shape [n].
        """
        return Ends(
            np.where(inside, self.time, np.nan),
            np.where(inside, self.kind, EndKind.OUTSIDE).astype(np.int8),
        )

    def take(self, order: NDArray[np.int64]) -> Ends:
        """Ends of some of the subjects, in an order."""
        return Ends(self.time[order], self.kind[order])
