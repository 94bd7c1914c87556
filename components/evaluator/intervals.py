"""95 % intervals of metrics of out-of-fold predictions.

Estimand: the expected performance, on new subjects, of the procedure trained on as many subjects
as the training part of a fold has. An out-of-fold estimate differs from it for two reasons: other
subjects would have been in the trial, and other subjects would have trained the models.

Method: the delete-a-group jackknife over subjects (20 groups, t distribution with 19 degrees of
freedom) gives the first part of the variance, of the mean over all repeats, in which a subject is
one unit. The models are not trained again without the group, so the second part is missing; the
variance is multiplied by a factor instead.

- Means of the subjects' own errors (Brier score, log loss, net benefit, rates): `1 + 1 / (folds -
  1)`, the limit for many repeats of the corrected variance of Nadeau & Bengio (Machine Learning
  2003;52:239), in which `1 / (folds - 1)` is the size of a test part relative to its training part.
- Ranking (areas under curves) varies more with the training, the more so the fewer events train it.
  The variance of coefficients is inverse to the information `n * rate * (1 - rate)`; `10 /
  information` of all subjects is added to the factor. A slice varies more by its own subjects, but
  not by the training, so what is added is smaller by the share of the information that it has. 10
  was found with five folds and the reference model ridge on 1,000 synthetic trials of 250 subjects
  and 1,000 of 1,000, with other seeds than those of the benchmark. (20, found with a ridge
  regression of one fixed penalty for features and arms alike, covers 98.6 % with 21 events.) The
  interval of an area is made on the scale of its logit: the higher an area, the less it varies.

`make bench-coverage` measures how often the intervals hold the true value: of 1,000 fresh trials
of 250 and of 1,000 subjects, with 20 events and more, 95.6 to 96.7 % for areas and 93.8 to 97.6 %
for Brier scores (docs/measurements.md). Not simulated: other numbers of folds, many more columns,
differences between models.

Weighed and not taken: the influence-curve variance of LeDell et al. (EJS 2015;9:1583) agrees with
the jackknife here and leaves out the training as well; nested cross-validation (Bates et al., JASA
2024) and the bootstrap of Cai et al. (arXiv 2307.00260) train hundreds of further models.
"""

from __future__ import annotations

import math

from pipeline.metrics import METRICS
from pipeline.results.outcomes import LEAST_EVENTS

RANKING = ("auc", "pr_auc")
_PER_INFORMATION = 10.0


def information_of(subjects: float, positives: float) -> float:
    """Information about log odds that outcomes carry: `n * rate * (1 - rate)`.

    Examples:
        >>> information_of(250, 25)
        22.5
    """
    return positives * (subjects - positives) / subjects if subjects else 0.0


def enough_events(metric: str, positives: float, negatives: float) -> bool:
    """Whether so many subjects give a metric an interval that covers as often as it says.

    Args:
        metric: Its name.
        positives: Subjects with the outcome; their effective number, where they are weighted.
        negatives: Subjects without it. A share of the positives depends on the positives alone,
            one of the negatives on these.

    Examples:
        >>> enough_events("auc", 9, 400), enough_events("specificity", 9, 400)
        (False, True)
    """
    trials = METRICS[metric].trials
    if trials == "positives":
        return positives >= LEAST_EVENTS
    if trials == "negatives":
        return negatives >= LEAST_EVENTS
    return min(positives, negatives) >= LEAST_EVENTS


def of_mean(lower: float, upper: float, folds: int) -> tuple[float, float]:
    """Widens the interval of a mean over subjects by the variation of the training.

    Args:
        lower: Lower bound, of the variation of the subjects alone.
        upper: Upper bound.
        folds: Folds of a repeat, at least 2.

    Examples:
        >>> lower, upper = of_mean(0.6, 0.8, 5)
        >>> round(lower, 3), round(upper, 3)
        (0.588, 0.812)
    """
    return _stretched(lower, upper, 1 + 1 / (folds - 1))


def of_ranking(
    lower: float,
    upper: float,
    folds: int,
    information: float,
    information_of_all: float,
    is_difference: bool = False,
) -> tuple[float, float]:
    """Widens the interval of an area under a curve by the variation of the training.

    Args:
        lower: Lower bound, of the variation of the subjects alone.
        upper: Upper bound.
        folds: Folds of a repeat, at least 2.
        information: See `information_of`, of the subjects that are ranked.
        information_of_all: Of all subjects of the trial, above 0.
        is_difference: Whether it is a difference of two areas, which has no logit.

    Returns:
        The interval; not-a-number where the area is 0 or 1, or undefined.

    Examples:
        >>> lower, upper = of_ranking(0.6, 0.8, 5, 22.5, 22.5)
        >>> round(lower, 3), round(upper, 3)
        (0.557, 0.813)
    """
    if math.isnan(lower) or not information_of_all:
        return math.nan, math.nan
    share = information / information_of_all
    factor = 1 + 1 / (folds - 1) + _PER_INFORMATION / information_of_all * share
    middle = (lower + upper) / 2
    if is_difference:
        return _stretched(lower, upper, factor)
    if not 0 < middle < 1:
        return math.nan, math.nan
    # The delta method: a logit's slope at an area A is 1 / (A * (1 - A)).
    slope = 1 / (middle * (1 - middle))
    logit = math.log(middle / (1 - middle))
    reach = (upper - lower) / 2 * slope
    ends = _stretched(logit - reach, logit + reach, factor)
    return expit(ends[0]), expit(ends[1])


def _stretched(lower: float, upper: float, factor: float) -> tuple[float, float]:
    """The interval of a variance that is larger by a factor."""
    middle, reach = (lower + upper) / 2, (upper - lower) / 2 * math.sqrt(factor)
    return middle - reach, middle + reach


def expit(logit: float) -> float:
    """The probability of a logit."""
    return (1 + math.tanh(logit / 2)) / 2
