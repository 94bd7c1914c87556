"""Distances between the data of two runs, as DataGate measures them."""

from __future__ import annotations

from dataclasses import dataclass

from components.data_gate.settings import DataGateSettings
from notebooks.data.feature_statistics import STATISTICS_FILE, has_statistics
from notebooks.study_runs import ComparedRun
from pipeline.skew.distance import Distance
from pipeline.study.study import Study


@dataclass(frozen=True)
class Drift:
    """Distances of every feature between two train splits.

    Attributes:
        earlier: Id of the earlier run.
        folder: Folder of its statistics.
        same_data: Whether both runs read the same data.
        distances: By feature and measure.
    """

    earlier: str
    folder: str
    same_data: bool
    distances: tuple[Distance, ...]


def drift_since(
    study: Study, statistics: str, run: ComparedRun, others: tuple[ComparedRun, ...], most: int
) -> tuple[Drift, ...]:
    """Distances from the earlier runs of a study, latest first.

    Args:
        study: The study file of the run.
        statistics: Folder of the run's statistics.
        run: The run.
        others: All runs of the study.
        most: Largest number of earlier runs to compare with.

    Returns:
        One for each earlier run whose statistics still exist.
    """
    earlier = [
        (other.file, folder)
        for other in reversed(others)
        if other.file.run < run.file.run
        and (folder := other.file.output("StatisticsGen", "statistics"))
        and has_statistics(folder)
    ][:most]
    if not earlier:
        return ()
    # TensorFlow Data Validation takes seconds to import.
    import tensorflow_data_validation as tfdv

    from pipeline.skew.distances import drift_distances

    settings = DataGateSettings.of(study)
    now, *then = (
        tfdv.load_stats_binary(f"{folder}/Split-train/{STATISTICS_FILE}")
        for folder in (statistics, *(folder for _, folder in earlier))
    )
    return tuple(
        Drift(
            earlier=file.run,
            folder=folder,
            same_data=file.fingerprint == run.file.fingerprint,
            distances=drift_distances(now, before, settings.features, settings.gate.drift_limit),
        )
        for (file, folder), before in zip(earlier, then, strict=True)
    )
