"""What the columns of a model's contributions are: `assets.extra/contributions.json`."""

from __future__ import annotations

from pipeline.documents import Document
from pipeline.results.signatures import of_columns

CONTRIBUTIONS_FILE = "assets.extra/contributions.json"
"""Path below the folder of a SavedModel; TensorFlow leaves `assets.extra` to its users."""

CONTRIBUTIONS_SIGNATURE = "contributions"
"""Signature that takes what `serving_default` takes and returns contributions."""

INTERACTIONS_SIGNATURE = "interactions"
"""Signature that returns what pairs of features do together."""

EXPLAINING = (
    CONTRIBUTIONS_SIGNATURE,
    INTERACTIONS_SIGNATURE,
    of_columns(CONTRIBUTIONS_SIGNATURE),
    of_columns(INTERACTIONS_SIGNATURE),
)
"""Signatures that explain predictions and make none."""


class ContributionColumns(Document):
    """The columns of a task's output of the signatures that explain a prediction.

    The last column of `contributions` is not listed: it holds the log odds of the reference.

    Attributes:
        features: Features in the order of the columns.
        reference: Category of the reference for each categorical feature; null is one of the rare
            categories, which share a code. Of a number it is the mean of the training subjects.
    """

    features: tuple[str, ...]
    reference: dict[str, str | None]
