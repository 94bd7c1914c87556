"""The reference models of a run: what `reference_models.json` holds."""

from __future__ import annotations

from pipeline.documents import Count, Document, parse_document
from pipeline.errors import UserError
from pipeline.names import BASE_RATE, FITTED_REFERENCES
from pipeline.storage import read

REFERENCE_MODELS_FILE = "reference_models.json"
"""File name in the output `predictions` of ReferenceModels."""

RIDGE, RANDOM_FOREST, GRADIENT_BOOSTING = FITTED_REFERENCES

TITLES = {
    BASE_RATE: "Base rate of the arm",
    RIDGE: "Ridge logistic regression",
    RANDOM_FOREST: "Random forest",
    GRADIENT_BOOSTING: "Gradient boosting",
}
"""Names for people, in the order of display."""


class ReferenceFit(Document):
    """What one model was fitted on.

    Attributes:
        repeats: Repeats of the folds that it predicts; 0 under `split`.
        most_subjects: Most subjects that one of its fits was trained on, known label or not.
    """

    repeats: Count
    most_subjects: Count


class ReferenceModel(ReferenceFit):
    """How one model was fitted.

    Attributes:
        seconds: Wall time of its fits and predictions.
    """

    seconds: float

    @property
    def fit(self) -> ReferenceFit:
        """The part of it that is the same in every run on the same data."""
        return ReferenceFit(repeats=self.repeats, most_subjects=self.most_subjects)


class ReferenceModels(Document):
    """`reference_models.json`.

    Attributes:
        models: By name, in the order of `TITLES`.
    """

    models: dict[str, ReferenceModel]


def read_reference_models(folder: str) -> ReferenceModels:
    """Reads `reference_models.json`.

    Args:
        folder: Folder of ReferenceModels' output `predictions`, a local path or an address.

    Raises:
        UserError: There is no such file, or it is invalid.
    """
    path = f"{folder}/{REFERENCE_MODELS_FILE}"
    text = read(path)
    if text is None:
        raise UserError(f"{path}: no such file. Run the pipeline again.")
    return parse_document(
        ReferenceModels, text, path, "what ReferenceModels writes", "Run ReferenceModels again."
    )
