"""scikit-learn's models, untuned, on the examples that this project's model reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from pipeline.weights import is_weighted

_ITERATIONS = 5000
"""Enough for logistic regression to converge; its other settings are scikit-learn's."""


def encoder(features: pd.DataFrame) -> ColumnTransformer:
    """Standardised numbers with an indicator where missing, one-hot texts.

    Args:
        features: Numbers as float with NaN where missing, texts with "" where missing, which
            becomes a level of its own.

    Returns:
        The unfitted transformation.
    """
    numeric = list(features.select_dtypes("number").columns)
    texts = [name for name in features.columns if name not in numeric]
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    levels = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return ColumnTransformer([("numbers", numbers, numeric), ("levels", levels, texts)])


def classifier(name: str, seed: int) -> Any:
    """An unfitted classifier with scikit-learn's defaults.

    Args:
        name: One of `accuracy_division.SCIKIT_LEARN`.
        seed: Its random state.

    Returns:
        The classifier.

    Raises:
        KeyError: There is none of this name.
    """
    return {
        "logistic regression": LogisticRegression(max_iter=_ITERATIONS, random_state=seed),
        "random forest": RandomForestClassifier(random_state=seed),
        "gradient boosting": HistGradientBoostingClassifier(random_state=seed),
    }[name]


def fit_predict(
    name: str,
    train: pd.DataFrame,
    labels: NDArray[Any],
    weights: NDArray[Any],
    test: pd.DataFrame,
    seed: int,
) -> NDArray[Any]:
    """Fits a model for each task on the subjects whose label is known.

    Args:
        name: One of `accuracy_division.SCIKIT_LEARN`.
        train: Features of the train split.
        labels: 0 or 1, float `[train subjects, tasks]`.
        weights: Weights, 0 where the label is unknown, float `[train subjects, tasks]`.
        test: Features of the test split.
        seed: Random state of the models.

    Returns:
        Probabilities, float64 `[test subjects, tasks]`.
    """
    columns = []
    for task in range(labels.shape[1]):
        rows = weights[:, task] > 0
        own = weights[rows, task]
        model = Pipeline([("encoder", encoder(train)), ("model", classifier(name, seed))])
        fitted_with = {"model__sample_weight": own} if is_weighted(own) else {}
        model.fit(train[rows], labels[rows, task], **fitted_with)
        columns.append(model.predict_proba(test)[:, 1])
    return np.stack(columns, axis=1)
