"""What a package needs by what it is for."""

from __future__ import annotations

from typing import Any, cast

import pytest

from pipeline.errors import UserError
from pipeline.runners.kubeflow.package import compile_package
from pipeline.runners.kubeflow.purpose import monitoring
from pipeline.runners.kubeflow.settings import KubeflowSettings
from pipeline.study.load import load_study
from pipeline.study.shipped import find_study_file


def test_without_a_prediction_log_there_is_nothing_to_monitor() -> None:
    settings = KubeflowSettings(image="host/trial:7", registry_root="s3://b/registry")
    study = load_study(find_study_file("ist"))

    with pytest.raises(UserError, match="name no prediction log"):
        compile_package(study, "", settings, cast(Any, None), monitoring())
