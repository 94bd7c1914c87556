"""The configuration of a scoring."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from pipeline.config import RunConfig, Settings, resolve
from pipeline.errors import UserError
from pipeline.names import SCORING, scoring_pipeline_name
from pipeline.runs.run_file import SCORINGS
from pipeline.study.study import Study

_ID = re.compile("[0-9a-f]{16}")


def chosen_model(study: Study, model: str | None) -> str:
    """Id of the registration that a user chose; empty for the champion.

    Args:
        study: The study whose subjects are scored.
        model: An id, or `STUDY/ID`; None for the champion.

    Raises:
        UserError: It is neither, or the model of another study.
    """
    if model is None:
        return ""
    of, _, identifier = model.rpartition("/")
    if of and of != study.study:
        raise UserError(
            f"--model {model}: a model of the study {of} does not score subjects of "
            f"{study.study}, whose features may mean something else. Name a registration of "
            f"{study.study}; `trial validate` applies a model to another trial."
        )
    if not _ID.fullmatch(identifier):
        raise UserError(
            f"--model {model}: expected the id of a registration of {study.study}, 16 hexadecimal "
            "digits, or leave it out for the champion."
        )
    return identifier


def resolve_scoring(
    settings: Settings,
    model: str | None,
    registry: str | None,
    run_id: str,
    prediction_log: str = "",
) -> tuple[RunConfig, str]:
    """Converts the user's choices to the configuration of a scoring; reads the data once.

    Args:
        settings: The choices that a run of the pipeline has as well.
        model: The model, see `chosen_model`.
        registry: Root of the registry; the one below the root of the run, where None.
        run_id: Id of the run.
        prediction_log: Address of the prediction log; empty for none.

    Returns:
        The configuration of a run, and the id of the model's registration, empty for the
        champion. Seed and steps have no effect.

    Raises:
        UserError: A choice is invalid, the registry has no such model, or a file or column that
            the model needs is missing.
    """
    config = resolve(settings, run_id, SCORING)
    root = registry or str(config.registry_root)
    if "://" not in root:
        root = str(Path(root).resolve())
    identifier = chosen_model(config.study, model)
    token = scoring_token(config.study, root, identifier)
    own = Path(config.pipeline_root).parent / SCORINGS
    scoring = replace(
        config,
        pipeline_name=scoring_pipeline_name(config.study.study),
        pipeline_root=str(own / "artifacts"),
        metadata_path=str(own / "metadata.sqlite"),
        serving_dir=None,
        registry_root=root,
        champion_token=token,
        look="",
        # Predictions of patients never reach the store of metrics.
        store="",
        kind=SCORING,
        prediction_log=prediction_log,
    )
    return scoring, identifier


def scoring_token(study: Study, registry_root: str, model: str) -> str:
    """The champion token of a study whose model scores subjects.

    Args:
        study: The study.
        registry_root: Root of the registry.
        model: Id of a registration; empty for the champion.

    Raises:
        UserError: The registry has no such model.
    """
    from pipeline.runs.registry import NO_CHAMPION, Registry

    registry = Registry(registry_root)
    token = registry.champion_token(study.study)
    if model:
        registry.entry(study.study, model)
    elif token == NO_CHAMPION:
        raise UserError(
            f"{registry_root}: the registry has no champion of the study {study.study}, so there "
            "is no model to score with. Run the pipeline first (trial run), or name another "
            "registry (--registry; on Kubeflow registry_root of the run's form)."
        )
    return token
