"""TrialExampleGen alone, on a runner of choice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.beam.check import flink_slots
from pipeline.beam.options import IN_MEMORY as BEAM_IN_MEMORY
from pipeline.beam.options import beam_options, parse_beam_options
from tests.flink import artifacts
from tests.flink.conftest import Flink

IN_MEMORY = beam_options(BEAM_IN_MEMORY)
"""Beam's options for the runner that the cluster is held against."""

Written = tuple[dict[str, list[bytes]], tuple[list[str], str]]
"""Examples of each split; rejects and counts."""


@dataclass(frozen=True)
class ExampleGen:
    """TrialExampleGen on one trial, as often as wanted.

    Attributes:
        data: Folder of the trial.
        key: Reference to the subject key.
        study: A shipped study, or the path of a study file.
    """

    data: Path
    key: str
    study: str = "synthetic"

    def run(self, folder: Path, beam_args: tuple[str, ...]) -> Written:
        """Runs it.

        Args:
            folder: Gets `examples` and `rejects`.
            beam_args: Beam's options.

        Returns:
            Everything that it wrote.
        """
        from tfx.types import standard_artifacts

        from components.artifact_types import TrialRejects
        from components.trial_example_gen.executor import TrialExampleGenExecutor
        from components.trial_example_gen.settings import TrialExampleGenSettings
        from pipeline.study.load import load_study
        from pipeline.study.shipped import find_study_file

        study = load_study(find_study_file(self.study))
        outputs: dict[str, Any] = {}
        for name, kind in (("examples", standard_artifacts.Examples), ("rejects", TrialRejects)):
            outputs[name] = [kind()]
            outputs[name][0].uri = str(folder / name)
        context = TrialExampleGenExecutor.Context(
            beam_pipeline_args=list(beam_args), tmp_dir=str(folder), unique_id="1"
        )
        properties = {
            "settings": TrialExampleGenSettings.of(study).to_json(),
            "data_root": str(self.data),
            "fingerprint": "",
            "subject_key": self.key,
            "subject_key_id": "1",
        }
        TrialExampleGenExecutor(context).Do({}, outputs, properties)
        return artifacts.examples(folder / "examples"), artifacts.rejects(folder / "rejects")


def options(flink: Flink) -> tuple[str, ...]:
    """Beam's options for a cluster."""
    settings = parse_beam_options(flink.options())
    return beam_options(settings, flink_slots(settings))
