"""What a package is for: a run that trains a model, or one that validates a registered model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.config import RunConfig
from pipeline.names import TRAINING, VALIDATION, RunKind, pipeline_name, validation_pipeline_name
from pipeline.results.validation import UpdateMethod

if TYPE_CHECKING:
    from tfx.orchestration.pipeline import Pipeline

_FOUND_OUT = ("fingerprint", "subject_key_id", "champion_token", "code_digest")
_FIELDS = ("data_root", "data_fingerprint", "beam_options", "registry_root", "metrics_store")


@dataclass(frozen=True)
class Purpose:
    """What a package is for.

    Attributes:
        kind: The kind of its runs.
        pipeline_name: Name of the pipeline of a study.
        create: Builds the graph.
        says: A sentence for the package's description; empty where there is nothing to say.
        fields: Names of the fields of a run's form.
        found_out: Values that RunInputs determines when a run starts.
        tune: Whether hyperparameters are searched first.
    """

    kind: RunKind
    pipeline_name: Callable[[str], str]
    create: Callable[[RunConfig], Pipeline]
    says: str
    fields: tuple[str, ...] = _FIELDS
    found_out: tuple[str, ...] = _FOUND_OUT
    tune: bool = False

    @property
    def constants(self) -> dict[str, str]:
        """What RunInputs gets beside the study and the run's identity."""
        return {"tune": str(int(self.tune))} if self.kind == TRAINING else {}


def training(tune: bool = False) -> Purpose:
    """Runs that train a model.

    Args:
        tune: Whether the Tuner searches hyperparameters first.
    """

    def create(config: RunConfig) -> Pipeline:
        from pipeline.pipeline import create_pipeline

        return create_pipeline(config)

    return Purpose(
        TRAINING,
        pipeline_name,
        create,
        "Hyperparameters are searched." if tune else "",
        fields=(*_FIELDS, "seed", "steps"),
        found_out=(*_FOUND_OUT, "inherited_division", "look"),
        tune=tune,
    )


def validation(update: UpdateMethod | None = None) -> Purpose:
    """Runs that validate a registered model on the study's data.

    Args:
        update: How the model is updated; None registers no updated model.
    """

    def create(config: RunConfig) -> Pipeline:
        from pipeline.validation_pipeline import create_validation_pipeline

        return create_validation_pipeline(config, update)

    says = "A registered model is validated."
    if update:
        says += f" It is updated by {update.replace('_', ' ')}."
    return Purpose(VALIDATION, validation_pipeline_name, create, says)
