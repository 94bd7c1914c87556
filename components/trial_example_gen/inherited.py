"""Subjects who keep the part or fold that they had in the champion's run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.results.division import read_division
from pipeline.results.evaluation_plan import EvaluationPlan


@dataclass(frozen=True)
class Kept:
    """What subjects were dealt in the champion's run.

    Attributes:
        plan: How that run evaluated its model.
        hashes: Their hashes for the deal, rising, uint64 `[subjects]`.
        dealt: Number of the part, int16 `[subjects, 1]`, or fold in each repeat, int16 `[subjects,
            repeats]`; negative where a subject was in none.
    """

    plan: EvaluationPlan
    hashes: NDArray[np.uint64]
    dealt: NDArray[np.int16]

    @classmethod
    def merged(cls, parts: Iterable[Kept]) -> Kept | None:
        """The subjects of all parts together; None without any part."""
        filled = list(parts)
        if not filled:
            return None
        hashes = np.concatenate([part.hashes for part in filled])
        order = np.argsort(hashes)
        return cls(
            filled[0].plan, hashes[order], np.concatenate([part.dealt for part in filled])[order]
        )

    def inherits_folds(self, folds: int) -> bool:
        """Whether a run that is cross-fitted with a number of folds can keep them."""
        return self.plan.scheme == "cross_fit" and self.plan.folds == folds

    def of(self, hashes: NDArray[np.uint64], column: int) -> NDArray[np.int64]:
        """Part, or fold in a repeat, of some subjects; negative for those who are new."""
        if column >= self.dealt.shape[1] or not len(self.hashes):
            return np.full(len(hashes), -1, np.int64)
        place = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        found = self.dealt[place, column].astype(np.int64)
        return np.where(self.hashes[place] == hashes, found, -1)


class InheritedDivision:
    """A champion's division, as the workers look subjects up in it.

    Args:
        folder: Folder of the division.
    """

    def __init__(self, folder: str) -> None:
        division = read_division(folder)
        self._plan = division.plan
        self._subjects, self._dealt = division.by_subject()

    def kept(self, pseudonyms: Sequence[bytes], hashes: NDArray[np.uint64]) -> Kept:
        """Those of some subjects who were in the champion's run.

        Args:
            pseudonyms: Pseudonym of each subject.
            hashes: Hash of each subject for the deal, uint64 `[subjects]`.
        """
        if not len(self._subjects):
            return Kept(self._plan, hashes[:0], self._dealt)
        wanted = np.array(pseudonyms, bytes)
        place = np.minimum(np.searchsorted(self._subjects, wanted), len(self._subjects) - 1)
        known = self._subjects[place] == wanted
        return Kept(self._plan, hashes[known], self._dealt[place[known]])


def deal_new(
    strata: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    kept: NDArray[np.int64],
    shares: Sequence[float],
) -> NDArray[np.int64]:
    """Deals the new subjects so that every stratum has the shares of the parts, as far as it can.

    Within a stratum a new subject, in the order of the hashes, goes to a part that still lacks
    subjects there: first to those below their share rounded down, then to those below their share
    rounded up; among them to the one that is the furthest below its share of the whole trial.

    Args:
        strata: Number of each subject's stratum, `[subjects]`.
        hashes: Order of the subjects within a stratum, `[subjects]`.
        kept: Part of each subject, negative for those who are new, `[subjects]`.
        shares: Shares of the parts; they add up to 1.

    Returns:
        Part of each subject, `[subjects]`.
    """
    dealt = kept.copy()
    parts = range(len(shares))
    overall = np.bincount(kept[kept >= 0], minlength=len(shares)).tolist()
    wanted = [share * len(kept) for share in shares]
    new = np.flatnonzero(kept < 0)
    new = new[np.lexsort((hashes[new], strata[new]))]
    for members in np.split(new, np.flatnonzero(np.diff(strata[new])) + 1):
        if not len(members):
            continue
        stratum = strata == strata[members[0]]
        before = kept[stratum & (kept >= 0)]
        size = int(stratum.sum())
        own = np.bincount(before, minlength=len(shares)).tolist()
        # Rounded, so that the last digit of a float decides nothing.
        targets = [round(share * size, 6) for share in shares]
        for subject in members.tolist():
            below = (
                [part for part in parts if own[part] < int(targets[part])]
                or [part for part in parts if own[part] < targets[part]]
                or list(parts)
            )
            part = max(below, key=lambda p: (round(wanted[p] - overall[p], 6), -p))
            dealt[subject] = part
            own[part] += 1
            overall[part] += 1
    return dealt
