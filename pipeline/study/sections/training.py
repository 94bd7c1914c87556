"""The section `training`: settings of the training, and what each hyperparameter may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from pipeline.documents import StrictModel
from pipeline.errors import UserError
from pipeline.names import LARGEST_WHOLE_NUMBER
from pipeline.study.error_words import words_of


class Hyperparameters(StrictModel):
    """Hyperparameters that replace the Trainer's defaults.

    Study files, the Tuner's values and the Trainer's defaults are checked against these limits.

    Attributes:
        members: Size of the ensemble.
        width: Units of a hidden layer.
        depth: Number of hidden layers; 0 leaves the linear path alone.
        embedding: Dimensions of the vector of a category.
        dropout: Share of hidden units that are dropped in training.
        learning_rate: Step size of AdamW.
        weight_decay: Decoupled weight decay of AdamW per step, relative to `learning_rate`.
        batch_size: Subjects per step.
        max_epochs: Passes over the training data at most.
        patience: Epochs without a better eval loss after which training stops.
        penalty: Ridge penalty of the linear path's start.
    """

    members: Annotated[int, Field(ge=1, le=256)] | None = None
    width: Annotated[int, Field(ge=1, le=4096)] | None = None
    depth: Annotated[int, Field(ge=0, le=8)] | None = None
    embedding: Annotated[int, Field(ge=1, le=256)] | None = None
    dropout: Annotated[float, Field(ge=0, le=0.9)] | None = None
    learning_rate: Annotated[float, Field(ge=1e-7, le=1)] | None = None
    weight_decay: Annotated[float, Field(ge=0, le=100)] | None = None
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    max_epochs: Annotated[int, Field(ge=0, le=100_000)] | None = None
    patience: Annotated[int, Field(ge=1, le=100_000)] | None = None
    penalty: Annotated[float, Field(ge=1e-6, le=1e9)] | None = None

    @property
    def given(self) -> dict[str, int | float]:
        """The values that are given, by name."""
        return self.model_dump(exclude_none=True)


class Training(StrictModel):
    """Settings of the training.

    Attributes:
        steps: Training steps; 0 for early stopping on the eval split.
        site_as_feature: Whether the model may use the site.
        hyperparameters: Values that replace the defaults.
        reference_models: Simpler models that are evaluated beside the Keras model, on the same
            subjects. The base rate of the arm always is; `[]` leaves it alone.
        reference_margin: By so much the AUC of the Keras model must exceed that of a reference
            model; otherwise the verdict says that the simpler model predicts as well.
        contributions: Whether the served model explains its predictions: with signatures for
            contributions of features and of pairs, which page and card show means of.
    """

    # TFX passes it in 32 bits.
    steps: Annotated[int, Field(ge=0, le=LARGEST_WHOLE_NUMBER)] = 0
    site_as_feature: bool = False
    hyperparameters: Hyperparameters = Hyperparameters()
    reference_models: tuple[Literal["ridge", "random_forest", "gradient_boosting"], ...] = (
        "ridge",
        "random_forest",
        "gradient_boosting",
    )
    reference_margin: Annotated[float, Field(ge=0, le=0.5)] = 0.005
    contributions: bool = True


def check_hyperparameters(values: Mapping[str, Any]) -> dict[str, int | float]:
    """Checks hyperparameters that do not come from a study file, such as the Tuner's.

    Args:
        values: Values by name.

    Returns:
        The same, whole numbers as such.

    Raises:
        UserError: A name is unknown, or a value has the wrong type or is out of range.
    """
    try:
        return Hyperparameters.model_validate(dict(values)).given
    except ValidationError as error:
        lines = [
            f"hyperparameters.{'.'.join(map(str, item['loc']))}: {words_of(item) or item['msg']}."
            for item in error.errors()
        ]
        raise UserError("\n".join(lines)) from error
