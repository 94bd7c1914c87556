"""What a package is for: runs that train, apply or follow a model, or that record outcomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.config import RunConfig
from pipeline.names import (
    MONITORING,
    OUTCOMES,
    SCORING,
    TRAINING,
    VALIDATION,
    RunKind,
    monitoring_pipeline_name,
    outcomes_pipeline_name,
    pipeline_name,
    scoring_pipeline_name,
    validation_pipeline_name,
)
from pipeline.results.validation import UpdateMethod

if TYPE_CHECKING:
    from tfx.orchestration.pipeline import Pipeline

_FOUND_OUT = ("fingerprint", "subject_key_id", "champion_token")
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
        model: Id of the registration that scores subjects; empty for the champion.
        needs_log: Whether the settings must name a prediction log.
        suffix: What the names of the packages have behind the study's pipeline; empty where they
            are those of `pipeline_name`.
    """

    kind: RunKind
    pipeline_name: Callable[[str], str]
    create: Callable[[RunConfig], Pipeline]
    says: str
    fields: tuple[str, ...] = _FIELDS
    found_out: tuple[str, ...] = _FOUND_OUT
    tune: bool = False
    model: str = ""
    needs_log: bool = False
    suffix: str = ""

    def package_name(self, study: str) -> str:
        """Name of the packages of a study, without what their format adds."""
        if self.suffix:
            return f"{pipeline_name(study)}-{self.suffix}"
        return self.pipeline_name(study)

    @property
    def constants(self) -> dict[str, str]:
        """What RunInputs gets beside the study and the run's identity."""
        if self.kind == TRAINING:
            return {"tune": str(int(self.tune))}
        return {"model": self.model} if self.kind == SCORING else {}


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


def scoring(model: str = "") -> Purpose:
    """Runs that score subjects whose outcome is not known.

    Args:
        model: Id of the registration that predicts; empty for the champion of the time when a run
            starts.
    """

    def create(config: RunConfig) -> Pipeline:
        from pipeline.scoring_pipeline import create_scoring_pipeline

        return create_scoring_pipeline(config, model)

    return Purpose(
        SCORING,
        scoring_pipeline_name,
        create,
        "A registered model scores subjects.",
        # Predictions of patients never reach the store of metrics.
        fields=tuple(field for field in _FIELDS if field != "metrics_store"),
        model=model,
        suffix="score",
    )


def monitoring() -> Purpose:
    """Runs that follow the predictions of the champion of the time when a run starts."""

    def create(config: RunConfig) -> Pipeline:
        from pipeline.monitoring_pipeline import create_monitoring_pipeline

        return create_monitoring_pipeline(config)

    return Purpose(
        MONITORING,
        monitoring_pipeline_name,
        create,
        "The predictions of the champion are followed.",
        # No data of the trial are read.
        fields=("beam_options", "registry_root", "metrics_store"),
        found_out=("champion_token",),
        suffix="monitor",
    )


def recording() -> Purpose:
    """Runs that add the outcomes of predicted subjects to the prediction log."""

    def create(config: RunConfig) -> Pipeline:
        from pipeline.outcomes_pipeline import create_outcomes_pipeline

        return create_outcomes_pipeline(config)

    return Purpose(
        OUTCOMES,
        outcomes_pipeline_name,
        create,
        "Outcomes of predicted subjects are recorded.",
        # No model is loaded, and outcomes of patients never reach the store of metrics.
        fields=tuple(field for field in _FIELDS if field != "metrics_store"),
        found_out=tuple(name for name in _FOUND_OUT if name != "champion_token"),
        needs_log=True,
        suffix="outcomes",
    )
