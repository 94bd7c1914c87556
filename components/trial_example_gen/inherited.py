"""Subjects who keep the part or fold that they had in the champion's run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.results.division import read_division
from pipeline.results.evaluation_plan import EvaluationPlan
from pipeline.results.predictions import join_folds
from pipeline.sorted_rows import rows_of


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
        found = np.full(len(hashes), -1, np.int64)
        if column < self.dealt.shape[1]:
            rows = rows_of(self.hashes, hashes)
            found[rows >= 0] = self.dealt[rows[rows >= 0], column]
        return found


class InheritedDivision:
    """A champion's division, as the workers look subjects up in it.

    Args:
        folder: Folder of the division.
    """

    def __init__(self, folder: str) -> None:
        division = read_division(folder)
        self._plan = division.plan
        self._subjects, self._dealt = join_folds([division.rows])

    def kept(self, pseudonyms: Sequence[bytes], hashes: NDArray[np.uint64]) -> Kept:
        """Those of some subjects who were in the champion's run.

        Args:
            pseudonyms: Pseudonym of each subject.
            hashes: Hash of each subject for the deal, uint64 `[subjects]`.
        """
        rows = rows_of(self._subjects, np.array(pseudonyms, bytes))
        known = rows >= 0
        return Kept(self._plan, hashes[known], self._dealt[rows[known]])
