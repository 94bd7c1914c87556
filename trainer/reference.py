"""Reference models: what simpler models predict from the same transformed features.

They tell whether the Keras model is worth its complexity. Nothing is tuned on what they predict:
the penalty of ridge regression is chosen on the training subjects, as the Keras model's is, and
spares the arms as that one does; the other settings are fixed. Forest and boosting have shallow or
averaged trees since most trials have a few hundred subjects, where scikit-learn's defaults (leaves
of one subject, 31 leaves) give probabilities near 0 and 1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pipeline.results.reference_models import GRADIENT_BOOSTING, RANDOM_FOREST, RIDGE
from trainer.arrays import Arrays
from trainer.linear import ARM_PENALTY, choose_penalties, design_matrix
from trainer.model import Encoding

PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0, 100_000.0)
"""Penalties of ridge regression among which each fit chooses by leave-one-out error; the largest
leaves the arms alone."""

_MOST_TO_CHOOSE = 2_000
"""Subjects that the penalty is chosen on: what it says of the size of coefficients does not
depend on the number of subjects, and its cost does."""

_ITERATIONS = 1000
TREES = 200
"""Trees of a random forest."""

_FEW = 5_000
"""Fits of fewer subjects use one thread: more of them take longer."""


@dataclasses.dataclass(frozen=True)
class BaseRates:
    """Share of subjects with the outcome, by arm.

    Attributes:
        overall: Share among all subjects, float64 `[tasks]`; 0 without a known label.
        by_arm: The same by arm, NaN where no subject of the arm has a known label.
    """

    overall: NDArray[np.float64]
    by_arm: Mapping[bytes, NDArray[np.float64]]

    @classmethod
    def of(cls, train: Arrays, arms: NDArray[np.object_]) -> BaseRates:
        """Measures the rates, weighted.

        Args:
            train: Labels and weights; features are not read.
            arms: Arm of each subject, bytes `[subjects]`; empty where unknown.
        """
        return cls(
            np.nan_to_num(_rates(train)),
            {arm: _rates(train.take(arms == arm)) for arm in np.unique(arms)},
        )

    def predict(self, arms: NDArray[np.object_]) -> NDArray[np.float32]:
        """The rate of each subject's arm, that of all subjects where the arm has none.

        Args:
            arms: bytes `[subjects]`.

        Returns:
            float32 `[subjects, tasks]`.
        """
        found = np.tile(self.overall, (len(arms), 1))
        for arm, rates in self.by_arm.items():
            found[arms == arm] = np.where(np.isnan(rates), self.overall, rates)
        return found.astype(np.float32)


def _rates(subjects: Arrays) -> NDArray[np.float64]:
    weights = subjects.weights.astype(np.float64)
    total = weights.sum(axis=0)
    events = (weights * subjects.labels).sum(axis=0)
    return np.divide(events, total, out=np.full(len(total), np.nan), where=total > 0)


def fit_predict(
    name: str, train: Arrays, predicted: Arrays, encoding: Encoding, seed: int
) -> NDArray[np.float32]:
    """Fits a model for each task on the subjects whose label is known, and predicts others.

    Args:
        name: `ridge`, `random_forest` or `gradient_boosting`.
        train: Subjects to fit on.
        predicted: Subjects to predict; their labels are not read.
        encoding: Shape of both.
        seed: Random state of the model.

    Returns:
        Probabilities, float32 `[predicted subjects, tasks]`. A task with one kind of known label
        in training is predicted by its rate, 0 or 1; one without any by 0.
    """
    if not len(predicted):
        return np.zeros((0, len(encoding.tasks)), np.float32)
    with _threads(len(train)):
        return _fit_predict(name, train, predicted, encoding, seed)


def _fit_predict(
    name: str, train: Arrays, predicted: Arrays, encoding: Encoding, seed: int
) -> NDArray[np.float32]:
    features = _FEATURES[name]
    design, rows = features(train, encoding), features(predicted, encoding)
    estimators = _estimators(name, train, encoding, seed)
    columns = []
    for task, estimator in enumerate(estimators):
        labels, weights = train.labels[:, task], train.weights[:, task]
        known = np.flatnonzero(weights > 0)
        if len(np.unique(labels[known])) < 2:
            rate = float(labels[known].mean()) if len(known) else 0.0
            columns.append(np.full(len(predicted), rate))
            continue
        estimator.fit(design[known], labels[known], sample_weight=weights[known])
        if name == RANDOM_FOREST:
            # Threads add up the trees in any order, which changes the last digit.
            estimator.n_jobs = 1
        columns.append(estimator.predict_proba(rows)[:, 1])
    return np.stack(columns, axis=1).astype(np.float32)


def _threads(subjects: int) -> Any:
    """One thread for small fits and their predictions.

    Boosting predicts tree by tree, and threads wait for each other at every tree, busily, while
    another stage needs the core.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1 if subjects < _FEW else None)


def _estimators(name: str, train: Arrays, encoding: Encoding, seed: int) -> list[Any]:
    """An unfitted classifier for each task."""
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

    tasks = range(len(encoding.tasks))
    if name == RIDGE:
        return [
            _Ridge(float(penalty), encoding)
            for penalty in choose_penalties(train.head(_MOST_TO_CHOOSE), encoding, PENALTIES)
        ]
    if name == RANDOM_FOREST:
        return [
            RandomForestClassifier(
                n_estimators=TREES,
                min_samples_leaf=5,
                # Small trees are grown faster than a thread is handed one.
                n_jobs=1 if len(train) < _FEW else -1,
                random_state=seed,
            )
            for _ in tasks
        ]
    return [
        HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_leaf_nodes=8,
            l2_regularization=1.0,
            # The rows that early stopping would hold out are too few in most trials.
            early_stopping=False,
            random_state=seed,
        )
        for _ in tasks
    ]


class _Ridge:
    """Ridge logistic regression that penalises an arm by `ARM_PENALTY` at most.

    scikit-learn has one penalty for all columns: one that is multiplied by a number has its penalty
    divided by the number's square.
    """

    def __init__(self, penalty: float, encoding: Encoding) -> None:
        from sklearn.linear_model import LogisticRegression

        scale = np.ones(encoding.numbers + encoding.codes)
        arms = encoding.numbers + np.array(encoding.arms, int)
        scale[arms] = np.sqrt(max(penalty / ARM_PENALTY, 1.0))
        self._scale = sparse.diags(scale)
        # Columns that differ so much in scale would take L-BFGS many iterations.
        self._model = LogisticRegression(
            C=1.0 / penalty, max_iter=_ITERATIONS, solver="newton-cholesky"
        )

    def fit(
        self, design: sparse.csr_matrix, labels: NDArray[Any], sample_weight: NDArray[Any]
    ) -> None:
        """Fits to subjects with a known label."""
        self._model.fit(design @ self._scale, labels, sample_weight=sample_weight)

    def predict_proba(self, design: sparse.csr_matrix) -> NDArray[np.float64]:
        """Probabilities of both labels, `[subjects, 2]`."""
        found: NDArray[np.float64] = self._model.predict_proba(design @ self._scale)
        return found


def _columns(subjects: Arrays, encoding: Encoding) -> NDArray[np.float32]:
    """Numbers and codes as they are: a tree splits codes, which are in the order of frequency."""
    del encoding
    return np.concatenate([subjects.numbers, subjects.categories], axis=1).astype(np.float32)


_FEATURES: dict[str, Callable[[Arrays, Encoding], Any]] = {
    RIDGE: design_matrix,
    RANDOM_FOREST: _columns,
    GRADIENT_BOOSTING: _columns,
}
