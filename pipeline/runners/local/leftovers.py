"""Removes what runs that died have left behind, before a run's first stage.

It is called while the lock of the folder is held, so that none of it belongs to a run that is
alive: executions of ML Metadata that run for ever, outputs that are not whole (they may hold rows
of subjects), working folders, and models that were not copied to their end.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline.runs.alive import FolderInUseError, living_run
from pipeline.runs.publish import unfinished_versions
from pipeline.runs.run_file import VALIDATIONS
from pipeline.runs.unfinished import unfinished_registrations

logger = logging.getLogger(__name__)

_EXECUTIONS_OF_SYSTEM = ("executor_execution", "driver_execution")
_STATEFUL = "stateful_working_dir"


@dataclass(frozen=True)
class Leftovers:
    """What was found.

    Attributes:
        executions: Executions that were closed as failed.
        folders: Folders that were removed.
        files: Files that were removed.
    """

    executions: int
    folders: int
    files: int = 0

    def __str__(self) -> str:
        """One line for people; empty where nothing was found."""
        counted = [
            f"{number} {what}{'' if number == 1 else 's'}"
            for number, what in (
                (self.executions, "unfinished execution"),
                (self.folders, "folder"),
                (self.files, "file"),
            )
            if number
        ]
        found = ", ".join([*counted[:-2], " and ".join(counted[-2:])])
        return f"Cleared what runs that did not finish had left: {found}." if found else ""


def clear(
    metadata_path: str, pipeline_root: str, serving: str | None, further: Sequence[Path] = ()
) -> Leftovers:
    """Closes and removes what dead runs left in a folder.

    Args:
        metadata_path: SQLite file of ML Metadata.
        pipeline_root: Where artifacts are written.
        serving: The folder of a server of models; None for none.
        further: What they left elsewhere, folders and files; the log names what can't be removed.

    Returns:
        What was found.
    """
    executions = _close_executions(metadata_path) if Path(metadata_path).exists() else []
    folders = [*_folders(Path(pipeline_root), executions), *unfinished_versions(serving)]
    for folder in folders:
        _remove(folder)
    files = 0
    for path in further:
        try:
            is_folder = path.is_dir()
            _remove(path)
        except OSError as error:
            logger.warning("what a run that died has left can't be removed: %s: %s", path, error)
            continue
        if is_folder:
            folders.append(path)
        else:
            files += 1
    return Leftovers(len(executions), len(folders), files)


def _remove(path: Path) -> None:
    """Removes a file, or a folder that another run that starts may be removing as well."""
    if not path.is_dir():
        path.unlink(missing_ok=True)
    while path.is_dir():
        with suppress(FileNotFoundError):
            shutil.rmtree(path)


def registry_leftovers(own: Path, registry_root: str, study: str) -> list[Path]:
    """What dead runs of a study left in the registry.

    Args:
        own: Folder of the study's runs, whose lock is held.
        registry_root: Root of the registry.
        study: Name of the study.

    Returns:
        Folders and files; none while a validation, which registers updated models, is alive.
    """
    validations = own / VALIDATIONS
    if not validations.exists():
        return unfinished_registrations(registry_root, study)
    try:
        with living_run(validations, patience=0.0):
            return unfinished_registrations(registry_root, study)
    except FolderInUseError:
        return []


def _close_executions(metadata_path: str) -> list[int]:
    """Marks executions that run as failed.

    Returns:
        Their ids.
    """
    from ml_metadata.proto import metadata_store_pb2
    from tfx.orchestration import metadata

    config = metadata.sqlite_metadata_connection_config(metadata_path)
    with metadata.Metadata(config) as handle:
        # ML Metadata 1.21 ignores filters: all executions would be taken for unfinished ones.
        running = [
            execution
            for execution in handle.store.get_executions()
            if execution.last_known_state == metadata_store_pb2.Execution.RUNNING
        ]
        for execution in running:
            execution.last_known_state = metadata_store_pb2.Execution.FAILED
        if running:
            handle.store.put_executions(running)
    return [execution.id for execution in running]


def _folders(root: Path, executions: list[int]) -> Iterator[Path]:
    """Folders of unfinished executions, and working folders, which no run comes back to."""
    for number in executions:
        yield from root.glob(f"*/[!.]*/{number}")
        for kind in _EXECUTIONS_OF_SYSTEM:
            yield from root.glob(f"*/.system/{kind}/{number}")
    yield from root.glob(f"*/.system/{_STATEFUL}/*")
