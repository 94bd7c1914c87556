"""95 % intervals of metrics of out-of-fold predictions.

Estimand: the expected performance, on new subjects, of the procedure trained on as many subjects
as the training part of a fold has. An out-of-fold estimate differs from it for two reasons: other
subjects would have been in the trial, and other subjects would have trained the models.

Method: the delete-a-group jackknife over subjects (20 groups, t distribution with 19 degrees of
freedom) gives the first part of the variance, of the mean over all repeats, in which a subject is
one unit. The models are not trained again without the group, so the second part is missing; the
variance is multiplied by `1 + c / (folds - 1)` instead. c is 1 for means of the subjects' own
errors: the limit for many repeats of the corrected variance of Nadeau & Bengio (Machine Learning
2003;52:239), in which `1 / (folds - 1)` is the size of a test part relative to its training part.
Ranking varies more with the training: c is 2, found by simulation with five folds and ridge
regression on the synthetic trial, on the trials whose coverage follows; fresh trials have to
confirm it. Of 400 trials of 250 subjects the interval of the AUC covered the true value in 93 to
94 % and that of the Brier score in 95 to 96 % (tasks with 60 events or more), of 120 trials of
1,000 subjects in 95 to 98 % and 93 to 98 % (all tasks). With 20 events the interval of the AUC is
too narrow: 89 to 91 %. Another number of folds was not simulated.

Weighed and not taken: the influence-curve variance of LeDell et al. (EJS 2015;9:1583) agrees with
the jackknife here and leaves out the training as well; nested cross-validation (Bates et al., JASA
2024) and the bootstrap of Cai et al. (arXiv 2307.00260) train hundreds of further models.
"""

from __future__ import annotations

import math

_RANKING = ("auc", "pr_auc")
_SHARE, _SHARE_OF_RANKING = 1.0, 2.0


def widened(lower: float, upper: float, metric: str, folds: int) -> tuple[float, float]:
    """Widens a jackknife interval of out-of-fold predictions by the variation of the training.

    Args:
        lower: Lower bound of the jackknife's interval.
        upper: Upper bound.
        metric: Name of the metric, or of the one whose difference it is.
        folds: Folds of a repeat, at least 2.

    Examples:
        >>> lower, upper = widened(0.6, 0.8, "brier", 5)
        >>> round(lower, 3), round(upper, 3)
        (0.588, 0.812)
    """
    share = _SHARE_OF_RANKING if metric in _RANKING else _SHARE
    middle, reach = (lower + upper) / 2, (upper - lower) / 2
    reach *= math.sqrt(1 + share / (folds - 1))
    return middle - reach, middle + reach
