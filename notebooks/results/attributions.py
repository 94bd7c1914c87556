"""How the values of subjects move their predictions: sampled Shapley values, shown by group only.

Štrumbelj E, Kononenko I. Explaining prediction models and individual predictions with feature
contributions. Knowledge and Information Systems 2014;41:647-65, doi 10.1007/s10115-013-0679-x.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.trial_analysis.baseline import around
from notebooks.results.served_model import Predict, unmixed
from pipeline.results.documents import OVERALL, Group
from pipeline.results.suppress import suppressed

_BLOCK_ROWS = 50_000
_FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Attributions:
    """Contributions of sources to the predictions of some subjects.

    Attributes:
        values: In units of probability, shape [subjects, sources, tasks].
        errors: Standard errors of them from sampling, same shape.
        predictions: The predictions that they explain, shape [subjects, tasks].
        base: Mean prediction of the background, shape [tasks].
    """

    values: _FloatArray
    errors: _FloatArray
    predictions: _FloatArray
    base: _FloatArray


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


def sampled_shapley(
    predict: Predict,
    subjects: NDArray[np.int64],
    background: NDArray[np.int64],
    sources: int,
    seed: int,
) -> Attributions:
    """Shapley values of subjects' predictions, estimated by sampling.

    For each subject and each member of the background the sources take the subject's values one
    after the other, in a random order; the change of the prediction is the contribution of the
    source. Orders come in pairs, each with its reverse (antithetic sampling). Every subject is
    paired with every member of the background once, so its contributions add up to its prediction
    minus the mean prediction of the background exactly.

    Args:
        predict: The model.
        subjects: Places of the subjects to explain, shape [n].
        background: Places of the reference subjects, shape [m], m at least 2.
        sources: Number of sources.
        seed: Seed of the orders.

    Returns:
        Contributions of n subjects.
    """
    rng = np.random.default_rng(seed)
    base = predict(unmixed(background, sources)).mean(axis=0)
    size = max(1, _BLOCK_ROWS // (len(background) * (sources + 1)))
    blocks = [
        _block(predict, subjects[start : start + size], background, sources, rng)
        for start in range(0, len(subjects), size)
    ]
    return Attributions(
        values=np.concatenate([block[0] for block in blocks]),
        errors=np.concatenate([block[1] for block in blocks]),
        predictions=predict(unmixed(subjects, sources)),
        base=base,
    )


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


def _block(
    predict: Predict,
    subjects: NDArray[np.int64],
    background: NDArray[np.int64],
    sources: int,
    rng: np.random.Generator,
) -> tuple[_FloatArray, _FloatArray]:
    n, m = len(subjects), len(background)
    turn = _turns(n, m, sources, rng)
    # Step t has the subject's values of the sources that come before t in the order.
    steps = np.arange(sources + 1)
    own = turn[:, :, None, :] < steps[:, None]
    origin = np.where(own, subjects[:, None, None, None], background[:, None, None])
    probabilities = predict(origin.reshape(-1, sources)).reshape(n, m, sources + 1, -1)
    change = np.diff(probabilities, axis=2)
    contributions = np.take_along_axis(change, turn[..., None], axis=2)
    # Pairs of orders depend on each other: the error is that of the pairs' means.
    pairs = contributions[:, : m - m % 2].reshape(n, m // 2, 2, sources, -1).mean(axis=2)
    errors = pairs.std(axis=1, ddof=min(1, m // 2 - 1)) / np.sqrt(m // 2)
    return contributions.mean(axis=1), errors


def _turns(n: int, m: int, sources: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Position of each source in the order, by subject and background member: [n, m, sources].

    Every second order is the reverse of the one before.
    """
    half = np.tile(np.arange(sources), (n, -(-m // 2), 1))
    forward = rng.permuted(half, axis=2)
    both = np.stack([forward, sources - 1 - forward], axis=2)
    return both.reshape(n, -1, sources)[:, :m]
