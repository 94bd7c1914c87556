"""What a run that died left in the registry: copies of a model that no entry names.

A registration copies its files first and writes its entry last, so that no reader finds half a
model. Among what it copies is who was in which part of the trial.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

from pipeline import storage
from pipeline.errors import UserError
from pipeline.runs.divisions import subjects_root
from pipeline.runs.registry import Registry

_COPIES = ("models", "statistics", "documents")
_NAME = re.compile(r"[0-9a-f]{16}")
"""Of the folders of a registration since they are named by its id."""

_DRAFT = re.compile(r"\..+\.[0-9a-f]{32}")
_SECONDS_OF_A_DRAFT = 60
"""Within which a command that is alive renames the draft of a file of a few kilobytes."""


def unfinished_registrations(registry_root: str, study: str) -> list[Path]:
    """Folders and files of a study that a dead writer left in a registry on this machine.

    To be called while no run that registers models of the study is alive.

    Args:
        registry_root: Root of the registry.
        study: Name of the study.

    Returns:
        Folders of registrations that have no entry, and drafts of files; nothing where an entry is
        damaged, or in an object store.
    """
    if storage.is_remote(registry_root):
        return []
    registry = Registry(registry_root)
    try:
        entries = (*registry.history(study), *registry.updates(study))
    except UserError:
        return []
    known = {entry.id for entry in entries}
    for entry in entries:
        known |= {Path(place).name for place in (entry.model_uri, entry.statistics_uri)}
    roots = (Path(registry_root) / study, Path(subjects_root(registry_root)) / study)
    copies = [*(roots[0] / name for name in _COPIES), roots[1]]
    return [
        *(
            folder
            for place in copies
            for folder in sorted(place.glob("*"))
            if _NAME.fullmatch(folder.name) and folder.is_dir() and folder.name not in known
        ),
        *(path for root in roots for path in _drafts(root)),
    ]


def _drafts(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob(".*")):
        is_draft = _DRAFT.fullmatch(path.name) and path.is_file()
        if is_draft and time.time() - path.stat().st_mtime > _SECONDS_OF_A_DRAFT:
            yield path
