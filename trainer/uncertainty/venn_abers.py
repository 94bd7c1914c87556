"""Venn-Abers intervals of a probability.

Inductive Venn-Abers predictor: Vovk V, Petej I. Venn-Abers predictors. UAI 2014; the computation
once for every place that a new score can have is that of Vovk V, Petej I, Fedorova V. Large-scale
probabilistic predictors with and without guarantees of validity. NIPS 2015, section 3.

For a new subject the isotonic regression of outcome on score is fitted twice to the calibration
subjects and the new one, as if it had not the outcome and as if it had. The two fits at its score
are the ends of the interval. If subjects are exchangeable, one of the two is calibrated, but it is
not known which: the interval has no nominal coverage. Its width is about the influence that one
more subject has: it is narrow where many subjects have similar scores.

Scores are first replaced by their bin: at most `MOST_STEPS` bins of about equally many subjects,
each with at least a given number of them. The interval is then a function of few steps, which a
served model can hold, and no step describes a single subject.

Subjects have weights (`pipeline.weights`); the new one has the mean weight of the others.

MAPIE 1.6 (`VennAbersCalibrator`) and crepes 0.9 are not used: what they fit is an
object of Python, which can't be saved in a TensorFlow model, and the subjects here have weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_STEPS = 2000
"""Largest number of bins: a task's steps are then 24 kB of a saved model."""

_FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class VennAbers:
    """The interval as a function of the score.

    Attributes:
        starts: Score from which each step but the first holds, rising; float32 `[steps - 1]`.
        lower: Fitted probability if the subject has not the outcome; float32 `[steps]`, rising.
        upper: Fitted probability if it has; float32 `[steps]`, rising.
    """

    starts: NDArray[np.float32]
    lower: NDArray[np.float32]
    upper: NDArray[np.float32]

    def __call__(self, scores: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Lower and upper end of the interval of each score.

        Args:
            scores: float32 `[...]`.

        Returns:
            Two arrays of the same shape.
        """
        step = np.searchsorted(self.starts, scores.astype(np.float32), side="right")
        return self.lower[step], self.upper[step]


def fit_venn_abers(
    scores: NDArray[Any],
    labels: NDArray[Any],
    weights: NDArray[Any],
    fewest: int = 1,
    most_steps: int = MOST_STEPS,
) -> VennAbers:
    """Fits the interval to subjects that the model was not trained on.

    Args:
        scores: Predicted probabilities; `[subjects]`.
        labels: 1 with the outcome, 0 without; `[subjects]`.
        weights: Weights, 0 where the outcome is unknown; `[subjects]`, one above 0.
        fewest: Fewest subjects of a bin.
        most_steps: Largest number of bins.

    Examples:
        >>> fitted = fit_venn_abers(np.array([0.2, 0.4]), np.array([0, 1]), np.ones(2))
        >>> [ends.tolist() for ends in fitted(np.array([0.1, 0.9]))]
        [[0.0, 0.5], [0.5, 1.0]]
    """
    known = weights > 0
    order = np.argsort(scores[known], kind="stable")
    score = scores[known][order].astype(np.float32)
    weight = weights[known][order].astype(np.float64)
    outcome = weight * (labels[known][order] > 0.5)
    first = _first_of_bins(score, max(fewest, -(-len(score) // most_steps)))
    total = np.add.reduceat(weight, first)
    positive = np.add.reduceat(outcome, first)
    new = float(weight.mean())
    upper = _fit_with_outcome(total, positive, new)
    # Without the outcome: the same with outcomes and order turned round.
    lower = 1 - _fit_with_outcome(total[::-1], (total - positive)[::-1], new)[::-1]
    between = (score[first[1:] - 1].astype(np.float64) + score[first[1:]]) / 2
    # The middle of two neighbouring float32 can be the lower one, which is in the bin before.
    starts = np.maximum(
        between.astype(np.float32), np.nextafter(score[first[1:] - 1], np.float32(2))
    )
    return VennAbers(
        starts, np.clip(lower, 0, 1).astype(np.float32), np.clip(upper, 0, 1).astype(np.float32)
    )


def merged(lower: NDArray[Any], upper: NDArray[Any]) -> NDArray[Any]:
    """The probability that stands for an interval: the minimax of the log loss.

    Vovk, Petej and Fedorova 2015, section 4.

    Examples:
        >>> float(merged(np.array(0.25), np.array(0.5)))
        0.4
    """
    result: NDArray[Any] = upper / (1 - lower + upper)
    return result


def _first_of_bins(score: NDArray[np.float32], fewest: int) -> NDArray[np.int64]:
    """Position of the first subject of each bin; subjects of the same score share a bin.

    A bin ends as soon as it has `fewest` subjects; what remains belongs to the last one.
    """
    changes = np.flatnonzero(np.diff(score, prepend=np.float32(-1)))
    first = [0]
    for place in changes:
        if place - first[-1] >= fewest and len(score) - place >= fewest:
            first.append(int(place))
    return np.array(first, np.int64)


def _fit_with_outcome(total: _FloatArray, positive: _FloatArray, new: float) -> _FloatArray:
    """Isotonic fit of each bin after a subject with the outcome was added to that bin.

    The fit is the slope of the greatest convex minorant of the cumulative sums. The new subject
    moves the sums of its bin and all later ones by its weight; from bin to bin the minorant's last
    corner before the bin is kept until the next point lies below the line.

    Args:
        total: Weight of each bin; `[bins]`.
        positive: Weight of its subjects with the outcome; `[bins]`.
        new: Weight of the new subject.

    Returns:
        float64 `[bins]`.
    """
    x = np.concatenate([[0.0], np.cumsum(total)])
    y = np.concatenate([[0.0], np.cumsum(positive)])
    fitted = np.empty(len(total))
    corner, slope = 0, -np.inf
    for place in range(len(total)):
        on_line = y[corner] + (x[place] - x[corner]) * slope if place else np.inf
        if y[place] < on_line:
            corner = place
            slope = float(
                np.min((y[place + 1 :] + new - y[place]) / (x[place + 1 :] + new - x[place]))
            )
        fitted[place] = slope
    return fitted
