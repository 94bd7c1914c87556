"""Compiles a study's pipeline: for open-source Kubeflow Pipelines (YAML) and Vertex AI (JSON).

`make compile` calls it, and TFX's CLI takes it as a pipeline, with the environment's programs on
the path: `tfx pipeline compile --engine=vertex --pipeline_path=kubeflow/compile.py`. The CLI hands
over no arguments, so every choice can also be made by an environment variable (TRIAL_STUDY,
TRIAL_SETTINGS, TRIAL_OUT, TRIAL_TUNE).
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__" and Path(sys.path[0]).resolve() == Path(__file__).resolve().parent:
    # As a script this file's own folder comes first on the path.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
import logging
import os
import warnings

from pipeline.errors import UserError
from pipeline.names import pipeline_name
from pipeline.runners.kubeflow.settings import DEFAULT_SETTINGS, load_settings
from pipeline.study.load import load_study
from pipeline.study.shipped import DEFAULT_STUDY, find_study_file, read_schema


def main() -> int:
    """Writes the two packages and names them.

    Returns:
        0, or 2 for a mistake in the input.
    """
    options = _parser().parse_args()
    try:
        written = _write(options)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for path in written:
        sys.stdout.write(f"{path}\n")
    return 0


def _write(options: argparse.Namespace) -> tuple[Path, Path]:
    study_file = find_study_file(options.study)
    study, schema = load_study(study_file), read_schema(study_file)
    settings = load_settings(options.settings)

    # TFX takes seconds to import: only once the cheap checks have passed. What it and its
    # dependencies say meanwhile is for nobody who compiles.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    from pipeline.runners.kubeflow.package import compile_package, tfx_runner
    from pipeline.runners.kubeflow.spec_check import problems

    runner = tfx_runner(settings, options.out.resolve() / f"{pipeline_name(study.study)}.json")
    package = compile_package(study, schema, settings, runner, options.tune)
    found = problems(package.spec)
    if found:
        raise UserError("The package would be refused:\n" + "\n".join(found))
    # TFX's CLI may have told the runner another place.
    job = Path(runner._output_dir, runner._output_filename)
    job.parent.mkdir(parents=True, exist_ok=True)
    job.write_text(package.to_vertex_json(), encoding="utf-8")
    kubeflow = job.with_suffix(".yaml")
    kubeflow.write_text(package.to_yaml(), encoding="utf-8")
    return kubeflow, job


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Compile a study's pipeline.")
    parser.add_argument(
        "--study",
        default=os.environ.get("TRIAL_STUDY", DEFAULT_STUDY),
        help="shipped study, or path of a study file",
    )
    parser.add_argument(
        "--settings",
        type=Path,
        default=Path(os.environ.get("TRIAL_SETTINGS", DEFAULT_SETTINGS)),
        help="what the package needs to know of the cluster",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(os.environ.get("TRIAL_OUT", "packages")),
        help="folder for the packages",
    )
    parser.add_argument(
        "--tune",
        action="store_true",
        default=os.environ.get("TRIAL_TUNE", "").lower() in ("1", "true", "yes"),
        help="search hyperparameters first",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
