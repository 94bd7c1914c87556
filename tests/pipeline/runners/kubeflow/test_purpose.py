"""What a package needs by what it is for."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from pipeline.errors import UserError
from pipeline.runners.kubeflow.package import compile_package, tfx_runner
from pipeline.runners.kubeflow.purpose import monitoring, recording
from pipeline.runners.kubeflow.settings import KubeflowSettings
from pipeline.runners.kubeflow.spec_check import problems
from pipeline.study.load import load_study
from pipeline.study.shipped import find_study_file


def test_without_a_prediction_log_there_is_nothing_to_monitor() -> None:
    settings = KubeflowSettings(image="host/trial:7", registry_root="s3://b/registry")
    study = load_study(find_study_file("ist"))

    with pytest.raises(UserError, match="name no prediction log"):
        compile_package(study, "", settings, cast(Any, None), monitoring())


def test_a_recording_of_outcomes_asks_the_list_of_forgotten_subjects() -> None:
    settings = KubeflowSettings(
        image="host/trial:7", registry_root="s3://b/registry", prediction_log="s3://b/log"
    )
    study = load_study(find_study_file("ist"))
    runner = tfx_runner(settings, Path("never-written.json"))

    spec = compile_package(study, "", settings, runner, recording()).spec

    assert problems(spec) == []
    form = spec["root"]["inputDefinitions"]["parameters"]
    assert form["registry_root"]["defaultValue"] == "s3://b/registry"
    given = spec["root"]["dag"]["tasks"]["TrialExampleGen"]["inputs"]["parameters"]
    assert given["registry_root"] == {"componentInputParameter": "registry_root"}
