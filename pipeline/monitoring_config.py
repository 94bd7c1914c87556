"""The configuration of a monitoring."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline.config import RunConfig, Settings, resolve
from pipeline.errors import UserError
from pipeline.names import MONITORING, monitoring_pipeline_name
from pipeline.runs.run_file import MONITORINGS


def resolve_monitoring(
    settings: Settings, registry: str | None, run_id: str, prediction_log: str
) -> RunConfig:
    """Converts the user's choices to the configuration of a monitoring; reads no data.

    Args:
        settings: The choices that a run of the pipeline has as well.
        registry: Root of the registry; the one below the root of the run, where None.
        run_id: Id of the run.
        prediction_log: Address of the prediction log.

    Raises:
        UserError: A choice is invalid, or the registry has no champion.
    """
    config = resolve(settings, run_id, MONITORING)
    root = registry or str(config.registry_root)
    if "://" not in root:
        root = str(Path(root).resolve())
    own = Path(config.pipeline_root).parent / MONITORINGS
    return replace(
        config,
        pipeline_name=monitoring_pipeline_name(config.study.study),
        pipeline_root=str(own / "artifacts"),
        metadata_path=str(own / "metadata.sqlite"),
        serving_dir=None,
        registry_root=root,
        champion_token=monitored_token(config.study.study, root),
        look="",
        kind=MONITORING,
        prediction_log=prediction_log,
    )


def monitored_token(study: str, registry_root: str) -> str:
    """The champion token of a study whose champion is monitored.

    Args:
        study: Name of the study.
        registry_root: Root of the registry.

    Raises:
        UserError: The registry has no champion.
    """
    from pipeline.runs.registry import NO_CHAMPION, Registry

    token = Registry(registry_root).champion_token(study)
    if token == NO_CHAMPION:
        raise UserError(
            f"{registry_root}: the registry has no champion of the study {study}, so there is "
            "nothing to monitor. Run the pipeline first (trial run), or name another registry "
            "(--registry; on Kubeflow registry_root of the run's form)."
        )
    return token
