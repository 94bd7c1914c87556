"""How the values of subjects move their predictions, by the model's own contributions.

They are shown by group only. The model answers for features; those of one source (see
`notebooks.results.feature_sources`) are added up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.trial_analysis.baseline import around
from notebooks.results.feature_sources import Source
from pipeline.results.documents import OVERALL, Group
from pipeline.results.suppress import suppressed

_FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Attributions:
    """Contributions of sources to the predictions of some subjects.

    Attributes:
        values: In log odds, shape [subjects, sources, tasks].
        pairs: Mean size of what two sources do together, in log odds, shape [sources, sources,
            tasks].
    """

    values: _FloatArray
    pairs: _FloatArray


@dataclass(frozen=True)
class Box:
    """Distribution of contributions in a group that may be shown.

    Attributes:
        group: The group.
        subjects: How many.
        lower_quartile: Mean of the few values around the quartile.
        median: Mean of the few values in the middle.
        upper_quartile: Mean of the few values around the quartile.
        mean: Mean of all values.
    """

    group: str
    subjects: int
    lower_quartile: float
    median: float
    upper_quartile: float
    mean: float


def attribute(
    contributions: _FloatArray,
    interactions: _FloatArray,
    features: Sequence[str],
    sources: Sequence[Source],
) -> Attributions:
    """Adds the contributions of features up to those of their sources.

    Args:
        contributions: Shape [subjects, features, tasks].
        interactions: Of the same or of fewer subjects, shape [n, features, features, tasks].
        features: Names of the features.
        sources: Their sources.
    """
    belongs = np.array(
        [[feature in source.columns for feature in features] for source in sources], np.float64
    )
    joint = np.einsum("sf,nfgt,rg->nsrt", belongs, interactions, belongs)
    return Attributions(
        values=np.einsum("sf,nft->nst", belongs, contributions),
        pairs=np.abs(joint).mean(axis=0),
    )


def strongest_pairs(pairs: _FloatArray, most: int, smallest: float) -> list[tuple[int, int]]:
    """Pairs of sources by what they do together, the strongest first.

    Args:
        pairs: Mean sizes, shape [sources, sources].
        most: Number of pairs at most.
        smallest: Mean size below which a pair is none.
    """
    first, second = np.triu_indices(len(pairs), 1)
    order = np.argsort(-pairs[first, second], kind="stable")[:most]
    return [
        (int(first[n]), int(second[n])) for n in order if pairs[first[n], second[n]] >= smallest
    ]


def boxes(values: _FloatArray, groups: Sequence[str], smallest: int) -> list[Box]:
    """Quartiles of contributions by group, of groups that may be shown.

    A quartile of a group would be the contribution of one subject: each is the mean of the five
    values around it, nothing is drawn beyond the quartiles, and groups below the smallest size are
    suppressed, with those from which they would follow by subtraction.

    Args:
        values: Shape [n].
        groups: Group of each subject, "" for none; [n].
        smallest: Fewest subjects of a group.

    Returns:
        A box for each group, in the order of their names.
    """
    members = np.asarray(groups)
    names = [str(name) for name in np.unique(members) if name]
    sizes: dict[Group, int] = {OVERALL: len(members)}
    sizes |= {(("group", name),): int((members == name).sum()) for name in names}
    hidden = suppressed(sizes, [(), ("group",)], smallest)
    if OVERALL in hidden:
        return []
    return [
        _box(name, np.sort(values[members == name]))
        for name in names
        if (("group", name),) not in hidden
    ]


def _box(name: str, ordered: _FloatArray) -> Box:
    return Box(
        group=name,
        subjects=len(ordered),
        lower_quartile=around(ordered, 0.25),
        median=around(ordered, 0.5),
        upper_quartile=around(ordered, 0.75),
        mean=float(ordered.mean()),
    )
