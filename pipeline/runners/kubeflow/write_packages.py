"""Writes the packages of a study: for Kubeflow Pipelines (YAML) and for Vertex AI (JSON)."""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path

from pipeline.errors import UserError
from pipeline.runners.kubeflow.purpose import Purpose
from pipeline.runners.kubeflow.settings import load_settings
from pipeline.study.load import load_study
from pipeline.study.shipped import find_study_file, read_schema
from pipeline.study.tuning import check_tuning
from pipeline.validation_config import ModelChoice, with_model


def write_packages(
    study: str,
    settings_file: Path,
    out: Path,
    purpose: Purpose,
    choice: ModelChoice | None = None,
    image: str | None = None,
) -> tuple[Path, Path]:
    """Compiles a pipeline of a study and writes both packages.

    Args:
        study: Shipped study, or path of a study file.
        settings_file: Settings of the cluster.
        out: Folder for the packages.
        purpose: What the packages are for.
        choice: The registered model that is validated; as the study file says, if None.
        image: Image of the tasks, in place of that of the settings.

    Returns:
        The YAML file for Kubeflow Pipelines and the JSON file for Vertex AI.

    Raises:
        UserError: The study or the settings are invalid, or Kubeflow would reject the package.
    """
    study_file = find_study_file(study)
    content, schema = load_study(study_file), read_schema(study_file)
    content = with_model(content, choice or ModelChoice())
    if purpose.tune:
        check_tuning(content)
    settings = load_settings(settings_file, image)

    # TFX takes seconds to import: only after the cheap checks have passed. What it and its
    # dependencies log meanwhile is of no interest to the user.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    from pipeline.runners.kubeflow.package import compile_package, tfx_runner
    from pipeline.runners.kubeflow.spec_check import problems

    runner = tfx_runner(settings, out.resolve() / f"{purpose.package_name(content.study)}.json")
    package = compile_package(content, schema, settings, runner, purpose)
    found = problems(package.spec)
    if found:
        raise UserError("Kubeflow would reject the package:\n" + "\n".join(found))
    # TFX's CLI may have given the runner another path.
    job = Path(runner._output_dir, runner._output_filename)
    job.parent.mkdir(parents=True, exist_ok=True)
    job.write_text(package.to_vertex_json(), encoding="utf-8")
    kubeflow = job.with_suffix(".yaml")
    kubeflow.write_text(package.to_yaml(), encoding="utf-8")
    return kubeflow, job
