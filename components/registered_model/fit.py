"""Whether a study has what a registered model reads, and asks for what it predicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from components.registered_model.settings import RegisteredModelSettings
from pipeline.errors import UserError
from pipeline.names import ARM, SITE
from pipeline.results.signatures import COLUMNS_SIGNATURE, argument_names
from pipeline.results.uncertainty import is_part
from pipeline.titles import called

_LACKING = {
    ARM: "has no section `arm` (a trial with a single arm names it as the control)",
    SITE: "does not set `training.site_as_feature`",
}
"""What a study file lacks where a column that it does not name as a feature is missing."""


@dataclass(frozen=True)
class ModelNames:
    """What a model reads and predicts.

    Attributes:
        numbers: Arguments of its signature `columns` that are numbers.
        categories: Those that are texts.
        tasks: Tasks that it predicts.
    """

    numbers: frozenset[str]
    categories: frozenset[str]
    tasks: frozenset[str]


def read_names(folder: str) -> ModelNames:
    """Reads the names of a SavedModel from its signatures, without loading its variables.

    Args:
        folder: Folder of the SavedModel, a local path.

    Raises:
        UserError: It has no signature `columns`.
    """
    # TensorFlow takes seconds to import.
    import tensorflow as tf
    from tensorflow.python.saved_model import loader_impl

    signatures = loader_impl.parse_saved_model(folder).meta_graphs[0].signature_def
    if COLUMNS_SIGNATURE not in signatures:
        raise UserError(
            f"{folder}: the model has no signature `{COLUMNS_SIGNATURE}`, so it can't be known "
            "which features it reads. Name a model that this pipeline registered."
        )
    signature = signatures[COLUMNS_SIGNATURE]
    texts = {
        name for name, spec in signature.inputs.items() if spec.dtype == tf.string.as_datatype_enum
    }
    return ModelNames(
        numbers=frozenset(set(signature.inputs) - texts),
        categories=frozenset(texts),
        tasks=frozenset(output for output in signature.outputs if not is_part(output)),
    )


def arguments_of(settings: RegisteredModelSettings) -> dict[str, str]:
    """Argument of the model's signature `columns` for each feature of the study."""
    arguments = argument_names([*settings.numbers.values(), *settings.categories.values()])
    return {
        own: arguments[theirs] for own, theirs in (settings.numbers | settings.categories).items()
    }


def check_fit(settings: RegisteredModelSettings, model: ModelNames, who: str) -> None:
    """Checks that a study fits a model.

    Args:
        settings: Names of the study, and the model's names for them.
        model: Names of the model.
        who: The model, for the message.

    Raises:
        UserError: A feature that the model reads or a task that the study asks for is missing, or a
            feature is of another kind; the message has all of them.
    """
    problems = list(_problems(settings, model))
    if problems:
        listed = "\n".join(f"- {problem}" for problem in problems)
        raise UserError(
            f"The study file does not fit {who}:\n{listed}\nAdd what is missing to the study file, "
            "or map names in its section `validation` (`features: {name here: name of the model}`, "
            "`tasks` likewise)."
        )


def _problems(settings: RegisteredModelSettings, model: ModelNames) -> Iterator[str]:
    arguments = arguments_of(settings)
    own_names = {argument: own for own, argument in arguments.items()}
    numbers = {arguments[own] for own in settings.numbers}
    categories = {arguments[own] for own in settings.categories}
    for name in sorted(model.numbers | model.categories):
        kind = "number" if name in model.numbers else "category"
        if name not in numbers | categories:
            lacks = _LACKING.get(name, "has no such feature")
            yield f"feature {name} ({kind}): the model reads it, the study file {lacks}"
        elif (name in numbers) != (name in model.numbers):
            other = "category" if kind == "number" else "number"
            feature = called(own_names[name], settings.feature_titles)
            yield (
                f"feature {feature}: expected a {kind} as in the model, "
                f"the study file has a {other}"
            )
    for own, theirs in (settings.numbers | settings.categories).items():
        # Features that only the study file has are not used; a mapped one was meant to be.
        if own != theirs and arguments[own] not in model.numbers | model.categories:
            feature = called(own, settings.feature_titles)
            yield f"feature {feature} is mapped to {theirs}, which the model does not read"
    served = ", ".join(sorted(model.tasks)) or "none"
    for own, theirs in settings.tasks.items():
        if theirs not in model.tasks:
            task = called(own, settings.task_titles)
            yield f"task {task}: the model does not predict {theirs}; it predicts {served}"
