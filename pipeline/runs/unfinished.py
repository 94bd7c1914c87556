"""What a run that died left in the registry: copies of a model that no entry names.

A registration copies its files first and writes its entry last, so that no reader finds half a
model. Among what it copies is who was in which part of the trial.
"""

from __future__ import annotations

import os
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

_SECONDS_OF_A_COPY = 3600
"""Within which a writer that is alive changes a file of its copy. No lock shows it: a validation
of another study may write here, and so may a run from another root."""


def unfinished_registrations(registry_root: str, study: str) -> list[Path]:
    """Folders and files of a study that a dead writer left in a registry on this machine.

    Args:
        registry_root: Root of the registry.
        study: Name of the study.

    Returns:
        Folders of registrations that have no entry, and drafts of files, unless they are so new
        that a writer may still be at them; nothing where an entry is damaged, or in an object
        store.
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
            if _is_older(folder, _SECONDS_OF_A_COPY)
        ),
        *(path for root in roots for path in old_drafts(root)),
    ]


def old_drafts(root: Path) -> Iterator[Path]:
    """Drafts of files below a folder that no command renames any more."""
    # Unlike `rglob`, `walk` passes over a folder that is removed meanwhile.
    found = [Path(folder, name) for folder, _, names in os.walk(root) for name in names]
    for path in sorted(found):
        if _DRAFT.fullmatch(path.name) and _is_older(path, _SECONDS_OF_A_DRAFT):
            yield path


def _is_older(path: Path, seconds: float) -> bool:
    """Whether a file, or all of a folder, was last changed longer ago than that."""
    try:
        newest = max(found.lstat().st_mtime for found in (path, *path.rglob("*")))
    except OSError:
        # Who renamed or removed it is alive.
        return False
    return time.time() - newest > seconds
