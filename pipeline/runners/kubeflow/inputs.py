"""The first task of a run on Kubeflow: determines the inputs that caching depends on.

A backend's cache key consists of the name of a task's image, its arguments and its parameters.
Data that changed under the same address, another key of the subject hash, another champion or
other code in an image of the same name must therefore be parameters. This task is never cached; its
output parameters are passed to the tasks that depend on them, the digest of its own code to each.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pipeline.errors import UserError
from pipeline.monitoring_config import monitored_token
from pipeline.names import MONITORING, OUTCOMES, RUN_KINDS, SCORING, TRAINING, VALIDATION
from pipeline.observability.runs import send_start
from pipeline.runners.kubeflow.form import whole_number
from pipeline.runners.kubeflow.package import RUN_INPUTS
from pipeline.runners.kubeflow.purpose import training
from pipeline.runners.kubeflow.record import Task, export_run, recorded_task
from pipeline.runners.kubeflow.snapshot_task import SNAPSHOT
from pipeline.scoring_config import scoring_token
from pipeline.stage_code import CODE_DIGEST, code_digest
from pipeline.study.load import parse_study
from pipeline.study.study import Study
from pipeline.validation_config import validated_token


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the run's inputs that only its start determines, each to a file.

    Returns:
        0, or 1 for an error in the input.
    """
    options = _parser().parse_args(arguments)
    study = parse_study(json.loads(options.study), "the study")
    started = datetime.now(UTC)
    task = Task(options.run_id, RUN_INPUTS, study.study, options.metrics_store, options.kind)
    try:
        with recorded_task(task):
            found = _compute_inputs(options, study)
            _export_run(options, study, started, found.get(options.fingerprint_to, ""))
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    send_start(options.run_id, study.study, options.kind, started)
    for path, value in found.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(value, encoding="utf-8")
    return 0


def _export_run(
    options: argparse.Namespace, study: Study, started: datetime, fingerprint: str
) -> None:
    if not options.metrics_store:
        return
    from pipeline.store.export import kubeflow_facts
    from pipeline.store.exported_study import ExportedStudy

    facts = kubeflow_facts(
        run=options.run_id,
        study=ExportedStudy.of(study),
        files=study.files if options.data_root else (),
        started=started,
        started_by=options.started_by,
        fingerprint=fingerprint,
        data_root=options.data_root,
        parameters={}
        if options.kind != TRAINING
        else {"seed": options.seed, "steps": options.steps},
        kind=options.kind,
    )
    export_run(options.metrics_store, facts)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipeline.runners.kubeflow.inputs")
    parser.add_argument("--study", required=True, help="the study file as JSON")
    parser.add_argument("--data_root", default="", help="folder of the study's files")
    parser.add_argument(
        "--data_fingerprint", default="", help="fingerprint that the data must have, if given"
    )
    parser.add_argument("--subject_key", required=True, help="reference to the secret")
    parser.add_argument("--registry_root", default="", help="root of the registry of models")
    parser.add_argument("--metrics_store", default="", help="address of the SQL store, if any")
    parser.add_argument("--run_id", default="", help="id of the run")
    parser.add_argument("--started_by", default="", help="user or system that started it")
    parser.add_argument("--seed", type=int, default=0, help="seed of training")
    parser.add_argument("--tune", type=int, default=0, help="1 with the Tuner")
    parser.add_argument("--model", default="", help="id of the model that scores, if not champion")
    parser.add_argument("--steps", type=int, default=0, help="training steps")
    parser.add_argument("--kind", default=TRAINING, choices=RUN_KINDS, help="what the run does")
    parser.add_argument("--snapshot", default="", help="folder of the snapshot of its database")
    parser.add_argument("--code", default="{}", help="modules that each stage starts in, as JSON")
    parser.add_argument(
        f"--{CODE_DIGEST}_to",
        nargs=2,
        action="append",
        default=[],
        metavar=("STAGE", "FILE"),
        help="output file of the digest of a stage's code",
    )
    for name in (*training().found_out, SNAPSHOT):
        parser.add_argument(f"--{name}_to", help="output file")
    return parser


def _compute_inputs(options: argparse.Namespace, study: Study) -> dict[str, str]:
    entries = json.loads(options.code)
    code = {place: code_digest(entries[stage]) for stage, place in options.code_digest_to}
    if options.kind == MONITORING:
        token = monitored_token(study.study, options.registry_root)
        return code | {options.champion_token_to: token}
    return code | _inputs_of_data(options, study)


def _inputs_of_data(options: argparse.Namespace, study: Study) -> dict[str, str]:
    # Beam takes a second or two to import.
    from pipeline.reading.fingerprint import content_fingerprint
    from pipeline.reading.plan import checked_datasets
    from pipeline.subject_key import key_id, load_key

    for name in ("seed", "steps"):
        whole_number(name, getattr(options, name))
    if not options.data_root and study.files:
        raise UserError(
            "data_root is empty: give the folder of the study's files in the run's form, an "
            "address such as s3://bucket/folder or a path of a mounted volume."
        )
    datasets = checked_datasets(study, options.data_root, options.kind, options.snapshot)
    fingerprint = content_fingerprint(study, options.data_root, options.snapshot, datasets)
    if options.data_fingerprint not in ("", fingerprint):
        raise UserError(
            f"{options.data_root}: the data have the fingerprint {fingerprint}, but the run's form "
            f"requires {options.data_fingerprint} (data_fingerprint). Give the intended "
            "data, or leave the field empty to accept the current data."
        )
    subject_key_id = key_id(load_key(options.subject_key))
    found = {
        options.fingerprint_to: fingerprint,
        options.subject_key_id_to: subject_key_id,
    }
    if study.database:
        # Handed on, so that all tasks have one place that their inputs come from.
        found[options.snapshot_to] = options.snapshot
    if options.kind == VALIDATION:
        return found | {options.champion_token_to: validated_token(study, options.registry_root)}
    if options.kind == OUTCOMES:
        return found
    if options.kind == SCORING:
        token = scoring_token(study, options.registry_root, options.model)
        return found | {options.champion_token_to: token}
    return found | _inputs_of_training(options, study, fingerprint, subject_key_id)


def _inputs_of_training(
    options: argparse.Namespace, study: Study, fingerprint: str, subject_key_id: str
) -> dict[str, str]:
    from pipeline.runs.inheritance import inherited_division
    from pipeline.runs.looks import run_look, settings_of
    from pipeline.runs.registry import Registry

    tried = settings_of(study, options.seed, options.steps, bool(options.tune))
    return {
        options.champion_token_to: Registry(options.registry_root).champion_token(study.study),
        options.inherited_division_to: inherited_division(
            options.registry_root, study, fingerprint, subject_key_id
        ),
        options.look_to: run_look(options.registry_root, tried).model_dump_json(),
    }


if __name__ == "__main__":
    sys.exit(main())
