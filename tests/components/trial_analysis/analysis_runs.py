"""Runs TrialExampleGen's and TrialAnalysis' executors for real, one after the other."""

from __future__ import annotations

from pathlib import Path

import apache_beam as beam
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import standard_artifacts
from tfx.types.artifact import Artifact

from components.artifact_types import ResearcherAnalysis, TrialRejects
from components.trial_analysis.executor import Executor
from components.trial_analysis.settings import TrialAnalysisSettings
from components.trial_example_gen.executor import TrialExampleGenExecutor
from components.trial_example_gen.settings import TrialExampleGenSettings
from pipeline.results.analysis import Analysis
from pipeline.results.documents import read_result
from pipeline.study.study import Study


def make_examples(study: Study, data_root: Path, folder: Path) -> Artifact:
    """TrialExampleGen's examples of a study."""
    key = folder / "key"
    key.write_text("a key that is long enough")
    examples, rejects = standard_artifacts.Examples(), TrialRejects()
    examples.uri, rejects.uri = str(folder / "examples"), str(folder / "rejects")
    context = BaseBeamExecutor.Context(
        make_beam_pipeline_fn=lambda: beam.Pipeline(runner=FnApiRunner()),
        tmp_dir=str(folder),
        unique_id="1",
    )
    TrialExampleGenExecutor(context).Do(
        {},
        {"examples": [examples], "rejects": [rejects]},
        {
            "settings": TrialExampleGenSettings.of(study).to_json(),
            "data_root": str(data_root),
            "fingerprint": "f",
            "subject_key": f"file:{key}",
            "subject_key_id": "1",
        },
    )
    return examples


def execute(examples: Artifact, study: Study, folder: Path) -> Path:
    """Folder with `analysis.json` of these examples."""
    folder.mkdir()
    output = ResearcherAnalysis()
    output.uri = str(folder)
    Executor().Do(
        {"examples": [examples]},
        {"analysis": [output]},
        {"settings": TrialAnalysisSettings.of(study).to_json()},
    )
    return folder


def analyse_trial(study: Study, data_root: Path, folder: Path) -> Analysis:
    """The analysis of a study's data."""
    examples = make_examples(study, data_root, folder)
    return read_result(Analysis, str(execute(examples, study, folder / "analysis")))
