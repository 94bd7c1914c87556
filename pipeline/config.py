"""The configuration of a run: one validated, frozen object, created once."""

from __future__ import annotations

import getpass
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.beam.options import IN_MEMORY, BeamSettings
from pipeline.errors import UserError
from pipeline.names import LOCAL, MONITORING, SCORING, TRAINING, RunKind, pipeline_name
from pipeline.patterns import check_no_pattern
from pipeline.permissions import check_store_of, unblinded_root_of
from pipeline.store.sqlite_file import check_sqlite_file, sqlite_address
from pipeline.study.load import load_study
from pipeline.study.shipped import DEFAULT_STUDY, find_study_file, read_schema
from pipeline.study.study import Study
from pipeline.study.tuning import check_tuning
from pipeline.subject_key import ensure_local_key, key_id, load_key
from pipeline.version import PROJECT, code_version, lock_digest

if TYPE_CHECKING:
    from tfx.orchestration.data_types import RuntimeParameter

SNAPSHOTS = "snapshots"
"""Folder of the snapshots of a study's database, in that of its runs."""

SUBJECT_KEY_FILE = PROJECT / ".secrets" / "subject_key"
"""The local machine's own key: one for all runs, whose intervals depend on it."""


@dataclass(frozen=True)
class Settings:
    """The user's choices for a local run.

    Attributes:
        study: Name of a shipped study, or path of a study file.
        data: Folder of the data; None generates the synthetic trial.
        root: Folder that everything is written below.
        subjects: Size of the synthetic trial.
        seed: Seed of training, and of the synthetic trial.
        steps: Training steps; None leaves it to the study file.
        tune: Whether the Tuner searches hyperparameters first.
        beam: Where Beam's stages run.
        store: Address of the SQL store; None is a SQLite file below the root, empty is none.
        stages_at_once: How many stages may run at once, 1 or 2; None: 2 where there are two cores.
    """

    study: str = DEFAULT_STUDY
    data: str | None = None
    root: Path = Path("runs")
    subjects: int = 5_000
    seed: int = 20261
    steps: int | None = None
    tune: bool = False
    beam: BeamSettings = IN_MEMORY
    store: str | None = None
    stages_at_once: int | None = None


@dataclass(frozen=True)
class RunConfig:
    """The configuration from which the graph is built.

    Values that a compiled pipeline gets only when a run starts are runtime parameters.

    Attributes:
        study: The study.
        schema: Content of the curated schema.
        data_root: Folder of the study's files.
        snapshot: Folder of the snapshot of the study's database; empty if it reads none.
        fingerprint: Content fingerprint of data and study file, taken when the run is created.
        subject_key: Reference to the secret of the subject hash.
        subject_key_id: Identifies that secret.
        pipeline_name: Name of the pipeline; one a study.
        pipeline_root: Where artifacts are written.
        metadata_path: SQLite file of ML Metadata; None where the runner keeps metadata itself.
        serving_dir: Where servers look for the champion; None for nowhere but the registry.
        registry_root: Root of the registry of blessed models.
        champion_token: The registry's pointer when the run is created.
        inherited_division: Digest of the division whose subjects keep their part or fold, or
            `none` (`pipeline.runs.inheritance`).
        look: What was tried on the trial before (`pipeline.runs.looks.RunLook` as JSON).
        code_version: Version of this project.
        dependency_lock: SHA-256 of the locked dependencies; empty where there is no lock.
        seed: Seed of training.
        steps: Training steps; 0 trains until the eval split stops it.
        tune: Whether the Tuner searches hyperparameters first.
        beam_args: Options of Beam.
        run_id: Id of the run.
        runner: `local` or `kubeflow`.
        started_by: User or system that started the run.
        store: Address of the SQL store; empty for none.
        data_modified: Modification time of the newest of the data's files; None where unknown.
        kind: What the run does.
        stages_at_once: How many stages the local runner runs at once.
        prediction_log: Address of the prediction log of a scoring or monitoring; empty for none.
    """

    study: Study
    schema: str
    data_root: str | RuntimeParameter
    fingerprint: str | RuntimeParameter
    subject_key: str
    subject_key_id: str | RuntimeParameter
    pipeline_name: str
    pipeline_root: str
    metadata_path: str | None
    serving_dir: str | None
    registry_root: str | RuntimeParameter
    champion_token: str | RuntimeParameter
    inherited_division: str | RuntimeParameter
    look: str | RuntimeParameter
    code_version: str
    dependency_lock: str
    seed: int
    steps: int
    tune: bool
    beam_args: tuple[str, ...]
    run_id: str
    runner: str
    started_by: str
    store: str | RuntimeParameter
    data_modified: datetime | None
    kind: RunKind = TRAINING
    stages_at_once: int = 1
    snapshot: str | RuntimeParameter = ""
    prediction_log: str = ""


def resolve(settings: Settings, run_id: str = "", kind: RunKind = TRAINING) -> RunConfig:
    """Converts the user's choices to a run's configuration; reads the data once.

    Args:
        settings: The choices.
        run_id: Id of the run.
        kind: What the run does; to score subjects nothing of their outcome is read, and to monitor
            a model no data at all.

    Returns:
        The configuration, with fingerprint and champion token of this moment.

    Raises:
        UserError: A choice is invalid.
    """
    study_file = find_study_file(settings.study)
    root = settings.root.resolve()
    study = _load(study_file, root, run_id, kind)
    if kind == SCORING and study.database:
        raise UserError(
            f"{study_file}: `trial score` reads files, not a database. Write the subjects to "
            "files, and give a study file that names these (format: parquet)."
        )
    if settings.tune:
        check_tuning(study)
    check_no_pattern(str(root), "The root")
    store = _store(settings, root)
    key = ensure_local_key(SUBJECT_KEY_FILE)
    beam_args = _beam_args(settings, root, key)
    own = root / study.study
    read = _no_data() if kind == MONITORING else _read_data(settings, study, root, kind, beam_args)

    # Beam takes a second or two to import: only after the cheap checks have passed.
    from pipeline.runs.inheritance import inherited_division
    from pipeline.runs.looks import run_look, settings_of
    from pipeline.runs.registry import Registry

    registry_root = str(root / "registry")
    subject_key_id = key_id(load_key(key))
    steps = study.training.steps if settings.steps is None else settings.steps
    tried = settings_of(study, settings.seed, steps, settings.tune)
    return RunConfig(
        study=study,
        schema=read_schema(study_file),
        data_root=read.root,
        snapshot=read.snapshot,
        fingerprint=read.fingerprint,
        subject_key=key,
        subject_key_id=subject_key_id,
        pipeline_name=pipeline_name(study.study),
        pipeline_root=str(own / "artifacts"),
        metadata_path=str(own / "metadata.sqlite"),
        serving_dir=str(own / "serving"),
        registry_root=registry_root,
        champion_token=Registry(registry_root).champion_token(study.study),
        inherited_division=inherited_division(
            registry_root, study, read.fingerprint, subject_key_id
        ),
        look=run_look(registry_root, tried).model_dump_json(),
        code_version=code_version(),
        dependency_lock=lock_digest(),
        seed=settings.seed,
        steps=steps,
        tune=settings.tune,
        beam_args=beam_args,
        run_id=run_id,
        runner=LOCAL,
        started_by=getpass.getuser(),
        store=store,
        data_modified=read.modified,
        stages_at_once=settings.stages_at_once or min(2, _cores()),
    )


@dataclass(frozen=True)
class _Data:
    """The data of a run, see `RunConfig`."""

    root: str
    snapshot: str
    fingerprint: str
    modified: datetime | None


def _no_data() -> _Data:
    return _Data("", "", "", None)


def _read_data(
    settings: Settings, study: Study, root: Path, kind: RunKind, beam_args: Sequence[str]
) -> _Data:
    """Reads the data once, for their fingerprint."""
    data_root = _data_root(settings, study, root, beam_args)

    # Beam takes a second or two to import: only after the cheap checks have passed.
    from pipeline.reading.database.snapshot import take_snapshot
    from pipeline.reading.files import data_modified
    from pipeline.reading.fingerprint import content_fingerprint
    from pipeline.reading.plan import checked_datasets

    snapshot = take_snapshot(study, data_root, str(root / study.study / SNAPSHOTS))
    datasets = checked_datasets(study, data_root, kind, snapshot)
    fingerprint = content_fingerprint(study, data_root, snapshot, datasets)
    return _Data(data_root, snapshot, fingerprint, data_modified(study.files, data_root))


def _load(study_file: Path, root: Path, run_id: str, kind: RunKind) -> Study:
    """The study: with its arm, where the root is of unblinded runs and lets this account in."""
    place = unblinded_root_of(root)
    if place is None:
        return load_study(study_file)
    from pipeline.runs.unblinded import check_access

    check_access(place, f"{kind} run", run_id)
    return load_study(study_file, unblinded=True)


def _cores() -> int:
    """Cores that this process may use."""
    # Only Linux can tell; elsewhere all of the machine's.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _store(settings: Settings, root: Path) -> str:
    """The address of the store, checked before anything starts."""
    if settings.store is None:
        file = root / "store.sqlite"
        check_sqlite_file(file)
        return sqlite_address(file)
    if settings.store:
        check_store_of(root, settings.store)
        # SQLAlchemy takes a while to import.
        from pipeline.store.engine import check_address

        check_address(settings.store)
    return settings.store


def synthetic_folder(root: Path, subjects: int, seed: int) -> Path:
    """Folder of the synthetic trial of a size and seed."""
    return root / "data" / f"synthetic-{subjects}-{seed}"


def _beam_args(settings: Settings, root: Path, subject_key: str) -> tuple[str, ...]:
    """Beam's options, after the check that the runner can execute the run."""
    from pipeline.beam.check import Needs, checked_options

    needs = Needs(
        read=() if settings.data is None else (_given_data(settings.data),),
        write=str(root),
        subject_key=subject_key,
        code_version=code_version(),
    )
    return checked_options(settings.beam, needs)


def _given_data(data: str) -> str:
    if "://" in data:
        return data
    if Path(data).is_file():
        raise UserError(
            f"The data folder {data} is a file (DATA=...). Give the folder that contains it: the "
            "study file names the files in it."
        )
    if not Path(data).is_dir():
        raise UserError(f"The data folder {data} does not exist (DATA=...).")
    return str(Path(data).resolve())


def _data_root(settings: Settings, study: Study, root: Path, beam_args: Sequence[str]) -> str:
    if settings.data is not None:
        return _given_data(settings.data)
    if len(study.sql_datasets) == len(study.datasets):
        return ""
    if study.study != DEFAULT_STUDY:
        raise UserError(
            f"The study {study.study} needs its data: DATA=<folder> (or --data). Only the "
            "synthetic trial is generated."
        )
    from pipeline.synthetic.trial import SyntheticTrial
    from pipeline.synthetic.write import write

    folder = synthetic_folder(root, settings.subjects, settings.seed)
    write(SyntheticTrial(settings.subjects, settings.seed), str(folder), beam_args)
    return str(folder)
