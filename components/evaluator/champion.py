"""Whether the run has a champion that is comparable with the challenger."""

from __future__ import annotations

from collections.abc import Sequence

from tfx.types.artifact import Artifact
from tfx.utils import path_utils

from components.evaluator.settings import EvaluatorSettings
from pipeline.study.digest import version_of_digest

PRESENT = "present"
"""Custom property of the champion model: 1, or 0 where there is no champion yet."""

SPLIT_SEED = "split_seed"
"""Custom property of a model: seed of the split that it was trained on."""

LABEL_DIGEST = "label_digest"
"""Custom property of a model: digest of its label definitions (`pipeline.study.digest`)."""

_SIGNATURE = "serving_default"

FIRST_RUN = "No champion: no model has been blessed before."
OTHER_SPLIT = (
    "The champion was not compared: it was trained on another split (other split seed), so it "
    "may have seen the test subjects."
)
OTHER_LABELS = (
    "The champion was not compared: its label definitions or its division into splits differ "
    "(other label digest)."
)
OUT_OF_FOLD = (
    "The champion was not compared: this model is evaluated on out-of-fold predictions of subjects "
    "that the champion may have been trained on."
)
VALIDATION = "No champion was compared: a registered model is validated on another trial."
OTHER_DEAL = (
    "The champion was not compared: an earlier release registered it, which divided the subjects "
    "in another way, so it may have seen the test subjects."
)


def is_present(baseline: Sequence[Artifact]) -> bool:
    """Whether the Evaluator's baseline input is a champion."""
    return bool(baseline) and baseline[0].get_int_custom_property(PRESENT) == 1


def served_tasks(baseline: Sequence[Artifact]) -> tuple[str, ...]:
    """Tasks that the champion serves; none without a champion.

    Args:
        baseline: The Evaluator's baseline input: one `Model` artifact, or none.
    """
    if not is_present(baseline):
        return ()
    # TensorFlow takes seconds to import.
    from tensorflow.python.saved_model import loader_impl

    saved = loader_impl.parse_saved_model(path_utils.serving_model_path(baseline[0].uri))
    outputs = saved.meta_graphs[0].signature_def[_SIGNATURE].outputs
    return tuple(sorted(outputs))


def reason_against(baseline: Sequence[Artifact], settings: EvaluatorSettings) -> str | None:
    """The reason why the champion can't be compared.

    Args:
        baseline: The Evaluator's baseline input: one `Model` artifact, or none.
        settings: Settings of the evaluation.

    Returns:
        A note for the verdict; None if the baseline is a champion to compare with.
    """
    if not is_present(baseline):
        return FIRST_RUN
    champion = baseline[0]
    recorded = champion.get_string_custom_property(LABEL_DIGEST)
    if recorded and version_of_digest(recorded) != version_of_digest(settings.label_digest):
        return OTHER_DEAL
    if not champion.has_custom_property(SPLIT_SEED) or (
        champion.get_int_custom_property(SPLIT_SEED) != settings.split_seed
    ):
        return OTHER_SPLIT
    if recorded != settings.label_digest:
        return OTHER_LABELS
    return None
