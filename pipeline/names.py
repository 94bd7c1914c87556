"""Names shared by the writers and the readers of an artifact's columns."""

from __future__ import annotations

from typing import Literal

LOCAL = "local"
KUBEFLOW = "kubeflow"
"""Environments that run a pipeline."""

LARGEST_WHOLE_NUMBER = 2**31 - 1
"""Largest seed or number of steps or subjects: TFX, NumPy and Keras take each of them."""

SUBJECT_HASH = "subject_hash"
"""Keyed hash of the subject's identifier: groups rows, is never a feature or a statistic."""

ARM = "arm"
SITE = "site"
FOLDS = "folds"
"""Fold of the subject in each repeat, from 0: int64 `[repeats]`; absent under `scheme: split`."""

SPLITS = ("train", "eval", "test")

CHAMPION = "champion"

CHALLENGER = "challenger"
"""The model of a run, in metrics and tables of predictions."""

BASE_RATE = "base_rate"
"""Reference model that predicts the share of subjects with the outcome in the subject's arm."""

FITTED_REFERENCES = ("ridge", "random_forest", "gradient_boosting")
"""Reference models with features."""

REFERENCE_MODELS = (BASE_RATE, *FITTED_REFERENCES)
"""Names of the reference models."""


def label_key(task: str) -> str:
    """Column of a task's label: 1.0 or 0.0, and 0.0 where it is unknown."""
    return f"label_{task}"


def weight_key(task: str) -> str:
    """Column of a task's weight: 0.0 where the label is unknown.

    A known label weighs as much as the inverse probability of being observed: 1.0 where follow-up
    is complete. Subjects are counted where it is above 0; counts are never weighted.
    """
    return f"weight_{task}"


def time_key(endpoint: str) -> str:
    """Column of the time to an endpoint, or to the end of observation without it."""
    return f"tte_time_{endpoint}"


def event_key(endpoint: str) -> str:
    """Column of whether the endpoint was reached at that time: 1.0, or 0.0 (censored)."""
    return f"tte_event_{endpoint}"


def in_statistics(column: str) -> bool:
    """Whether a column of the examples may be described by statistics.

    Pseudonyms have no meaningful statistics, and times to events are not read by a model.
    """
    return column not in (SUBJECT_HASH, FOLDS) and not column.startswith(
        (time_key(""), event_key(""))
    )


def flag_key(flag: str) -> str:
    """Column of what is said of a subject who is scored: 1.0 where it holds, otherwise 0.0."""
    # With a colon: no feature can be called so.
    return f"flag:{flag}"


def outcome_status_key(task: str) -> str:
    """Column of a recorded cut with the place of an outcome's status in `STATUSES`."""
    return f"status:{task}"


def decided_on_key(task: str) -> str:
    """Column of a recorded cut with the date that the label was known on, days since 1970-01-01."""
    return f"decided_on:{task}"


def ends_on_key(task: str) -> str:
    """Column of a recorded cut with the date of the task's horizon, days since 1970-01-01."""
    return f"ends_on:{task}"


def slice_key(name: str) -> str:
    """Column with a subject's slice of a slicing."""
    return f"slice_{name}"


RunKind = Literal["training", "validation", "scoring", "monitoring", "outcomes"]
"""What a run does: it trains a model, validates or applies a registered one, follows what the
champion predicted, or records the outcomes of predicted subjects."""

TRAINING: RunKind = "training"
VALIDATION: RunKind = "validation"
SCORING: RunKind = "scoring"
MONITORING: RunKind = "monitoring"
OUTCOMES: RunKind = "outcomes"
RUN_KINDS = (TRAINING, VALIDATION, SCORING, MONITORING, OUTCOMES)

EXAMPLES_SIGNATURE = "serving_default"
"""Signature of a saved model that takes serialized tf.Examples."""

_PIPELINE_PREFIX = "trial-"
_LONGEST_PIPELINE_NAME = 63
"""`_MAX_PIPELINE_NAME_LENGTH` of TFX (tfx/orchestration/pipeline.py), after Argo's limit of a
workflow's name."""

LONGEST_STUDY_NAME = _LONGEST_PIPELINE_NAME - len(_PIPELINE_PREFIX)

LONGEST_NAME = 200
"""Of tasks, features and the like: outputs of stages and columns carry them behind a prefix, and
file systems and ML Metadata's tables end names at 255 bytes."""

LONGEST_TITLE = 80
"""Of a feature, whose title stands in rows of tables and beside bars. Stata's labels of columns
have as many characters at most, those of SAS transport files half as many."""


def pipeline_name(study: str) -> str:
    """Name of a study's pipeline, by the rules of Kubeflow.

    Examples:
        >>> pipeline_name("cdisc_pilot01")
        'trial-cdisc-pilot01'
    """
    return f"{_PIPELINE_PREFIX}{study}".replace("_", "-").lower()


def validation_pipeline_name(study: str) -> str:
    """Name of the pipeline that validates a registered model on a study's data.

    Examples:
        >>> validation_pipeline_name("cdisc_pilot01")
        'valid-cdisc-pilot01'
    """
    return f"valid-{study}".replace("_", "-").lower()


def scoring_pipeline_name(study: str) -> str:
    """Name of the pipeline that scores subjects with a registered model of a study.

    Examples:
        >>> scoring_pipeline_name("cdisc_pilot01")
        'score-cdisc-pilot01'
    """
    return f"score-{study}".replace("_", "-").lower()


def monitoring_pipeline_name(study: str) -> str:
    """Name of the pipeline that follows the predictions of a study's champion.

    Examples:
        >>> monitoring_pipeline_name("cdisc_pilot01")
        'watch-cdisc-pilot01'
    """
    return f"watch-{study}".replace("_", "-").lower()


def outcomes_pipeline_name(study: str) -> str:
    """Name of the pipeline that records outcomes of a study's subjects.

    Examples:
        >>> outcomes_pipeline_name("cdisc_pilot01")
        'known-cdisc-pilot01'
    """
    return f"known-{study}".replace("_", "-").lower()
