"""What MetricsExporter reads of the study."""

from __future__ import annotations

from typing import Self

from pipeline.names import TRAINING, RunKind
from pipeline.store.exported_study import ExportedStudy
from pipeline.study.settings import Settings
from pipeline.study.study import Study


class MetricsExporterSettings(Settings):
    """The parts of a study that the store has of a run.

    Attributes:
        study: What every export of a run reads of the study.
        files: Patterns of the data's files, whose age is exported, in alphabetical order.
        kind: What the run does.
    """

    study: ExportedStudy
    files: tuple[str, ...]
    kind: RunKind = TRAINING

    @classmethod
    def of(cls, study: Study, kind: RunKind = TRAINING) -> Self:
        """Takes the exported parts of a study."""
        return cls(study=ExportedStudy.of(study), files=tuple(sorted(study.files)), kind=kind)
