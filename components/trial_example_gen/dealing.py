"""How subjects in an order are dealt to parts or folds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_LONGEST_PATTERN = 1000
_NEARLY = 1e-6

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def interleaved_pattern(shares: Sequence[float]) -> NDArray[np.int64]:
    """A sequence of parts in which every beginning has about their shares.

    Args:
        shares: Shares of the parts; they add up to 1.

    Returns:
        Numbers of parts; as long as the shares need to come out even, 1,000 at most.

    Examples:
        >>> interleaved_pattern([0.6, 0.2, 0.2]).tolist()
        [0, 1, 0, 2, 0]
    """
    wanted = np.array(shares)
    lengths = np.arange(1, _LONGEST_PATTERN + 1)[:, np.newaxis]
    even = (np.abs(lengths * wanted - np.round(lengths * wanted)) < _NEARLY).all(axis=1)
    length = int(np.argmax(even)) + 1 if even.any() else _LONGEST_PATTERN
    dealt = np.zeros(len(wanted))
    pattern = np.empty(length, np.int64)
    for position in range(length):
        # Rounded, so that the last digit of a float does not decide between equal parts.
        pattern[position] = np.argmax(np.round(wanted * (position + 1) - dealt, 9))
        dealt[pattern[position]] += 1
    return pattern


def hashes_of_repeat(hashes: NDArray[np.uint64], repeat: int) -> NDArray[np.uint64]:
    """Other hashes for each repeat: SplitMix64 (Steele, Lea & Flood 2014), which has no collision.

    Args:
        hashes: Hashes of the subjects, uint64.
        repeat: Number of the repeat, from 0.

    Returns:
        Hashes of the same shape.
    """
    mixed = hashes + _GOLDEN * np.array(repeat + 1, np.uint64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MULTIPLIERS[0]
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MULTIPLIERS[1]
    return mixed ^ (mixed >> np.uint64(31))


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
