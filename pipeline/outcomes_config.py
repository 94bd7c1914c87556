"""The configuration of a recording of outcomes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline.config import RunConfig, Settings, resolve
from pipeline.names import OUTCOMES, outcomes_pipeline_name
from pipeline.runs.run_file import RECORDINGS


def resolve_outcomes(
    settings: Settings, run_id: str, prediction_log: str, registry: str | None = None
) -> RunConfig:
    """Converts the user's choices to the configuration of a recording; reads the data once.

    Args:
        settings: The choices that a run of the pipeline has as well.
        run_id: Id of the run.
        prediction_log: Address of the prediction log.
        registry: Root of the registry, which the list of forgotten subjects lies beside; the one
            below the root of the run, where None.

    Returns:
        The configuration of a run. Seed and steps have no effect.

    Raises:
        UserError: A choice is invalid, or a file or column that the labels need is missing.
    """
    config = resolve(settings, run_id, OUTCOMES)
    root = registry or str(config.registry_root)
    if "://" not in root:
        root = str(Path(root).resolve())
    own = Path(config.pipeline_root).parent / RECORDINGS
    return replace(
        config,
        pipeline_name=outcomes_pipeline_name(config.study.study),
        pipeline_root=str(own / "artifacts"),
        metadata_path=str(own / "metadata.sqlite"),
        serving_dir=None,
        registry_root=root,
        look="",
        # Outcomes of patients never reach the store of metrics.
        store="",
        kind=OUTCOMES,
        prediction_log=prediction_log,
    )
