"""What MLflow holds of a registered model: nothing that the model's public card does not show.

Who decided, and why, stays in the registry's audit trail: a reason is free text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.results.registration import RegisteredModel
from pipeline.results.trail import WORDS, Standing, TrailEntry
from pipeline.runs.overview import Stage, stage_of
from pipeline.runs.promotion import VERDICT_FILE

MODEL_TAG = "trial.model"
"""Tag of runs and versions: the id in the registry."""

REGISTRY_TAG = "trial.registry"
"""Tag of experiment and registered model: the first model of the registry that they follow."""

ALIASES = ("champion", "candidate", "retired")
"""Aliases of a registered model that this project sets; others are left alone."""

_NOT_IN_A_NAME = re.compile(r"[^\w.\- :/]")
_PARAMETERS = {
    "run": "run",
    "data_fingerprint": "fingerprint",
    "study_digest": "study_digest",
    "label_digest": "label_digest",
    "split_seed": "split_seed",
    "code_version": "code_version",
    "dependency_lock": "dependency_lock",
}


@dataclass(frozen=True)
class Mirrored:
    """One registered model as MLflow has it.

    Attributes:
        model: Its id in the registry.
        name: Name of its run.
        at: When it was registered, in milliseconds since 1970.
        stage: Its stage.
        source: Where its SavedModel is.
        parameters: What it was made from.
        metrics: Headline metrics, `auc.<task>` and the like.
        run_tags: Tags of its run: addresses, and a note for people.
        version_tags: Tags of its version: stage, last decision, addresses.
    """

    model: str
    name: str
    at: int
    stage: Stage
    source: str
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]
    run_tags: Mapping[str, str]
    version_tags: Mapping[str, str]


def mirrored_models(
    entries: Iterable[RegisteredModel], trail: Iterable[TrailEntry], standing: Standing
) -> tuple[Mirrored, ...]:
    """What MLflow holds of the models that a trail knows, in the order of their registration.

    Args:
        entries: The registrations of a study.
        trail: Its audit trail.
        standing: What follows from it.
    """
    last: dict[str, TrailEntry] = {}
    for decision in trail:
        last.update(dict.fromkeys((*decision.models, *filter(None, (decision.model,))), decision))
    return tuple(
        _mirrored_model(entry, last[entry.id], standing) for entry in entries if entry.id in last
    )


def aliased(models: Sequence[Mirrored], standing: Standing) -> dict[str, str]:
    """The model of each alias: champion, the newest candidate, the model retired last.

    A candidate has not been the champion.

    Args:
        models: All models, the oldest first.
        standing: What follows from the trail.
    """
    waiting = [m.model for m in models if m.stage == "candidate" and m.model not in standing.former]
    found = {
        "champion": standing.champion,
        "candidate": waiting[-1] if waiting else "",
        "retired": standing.retired[-1] if standing.retired else "",
    }
    known = {model.model for model in models}
    return {alias: model for alias, model in found.items() if model in known}


def source_of(address: str) -> str:
    """The address of a folder of the registry, as MLflow accepts it.

    MLflow refuses a path as the source of a version, since its server would read it there.

    Examples:
        >>> source_of("s3://trials/registry/ist/models/1"), source_of("/runs/registry/ist/models/1")
        ('s3://trials/registry/ist/models/1', 'trial-registry:///runs/registry/ist/models/1')
    """
    return address if "://" in address else f"trial-registry://{address}"


def _mirrored_model(entry: RegisteredModel, decision: TrailEntry, standing: Standing) -> Mirrored:
    stage = stage_of(standing, entry.id)
    addresses = {"trial.address.model": entry.model_uri}
    if entry.documents_uri:
        addresses["trial.address.card"] = f"{entry.documents_uri}/card.html"
        addresses["trial.address.verdict"] = f"{entry.documents_uri}/{VERDICT_FILE}"
    note = (
        f"Model {entry.id} of the study {entry.study}. Its files are in the registry of models, "
        "which decides what is served; nothing here does."
    )
    values = {name: str(getattr(entry, key)) for name, key in _PARAMETERS.items()}
    return Mirrored(
        model=entry.id,
        name=entry.run or entry.id,
        at=int(datetime.fromisoformat(entry.registered_at).timestamp() * 1000),
        stage=stage,
        source=source_of(entry.model_uri),
        parameters={name: value for name, value in values.items() if value},
        metrics={_metric_name(name): value for name, value in entry.metrics.items()},
        run_tags={MODEL_TAG: entry.id, "mlflow.note.content": note, **addresses},
        version_tags={
            MODEL_TAG: entry.id,
            "trial.stage": stage,
            "trial.decision": WORDS[decision.action],
            "trial.decided_at": decision.at,
            "trial.trail_entry": str(decision.number),
            **addresses,
        },
    )


def _metric_name(name: str) -> str:
    """`task/metric` as `metric.task`."""
    task, _, metric = name.partition("/")
    return _NOT_IN_A_NAME.sub("_", f"{metric}.{task}")
