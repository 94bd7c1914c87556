"""Refuses data that hold subjects who were forgotten."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline import storage
from pipeline.errors import UserError
from pipeline.forgetting.files import rewrite
from pipeline.runs.forgotten import forgotten_path, read_forgotten


def refuse_forgotten(registry_root: str | None, study: str, folders: Iterable[str]) -> None:
    """Refuses examples of subjects who were forgotten (`trial forget`).

    Args:
        registry_root: Root of the registry, which the list lies beside; None for no list.
        study: Name of the study.
        folders: Folders of the examples, one a split.

    Raises:
        UserError: The data hold some of them.
    """
    if not registry_root:
        return
    path = forgotten_path(registry_root, study)
    forgotten = read_forgotten(path).of(study)
    if not forgotten:
        return
    found = 0
    for folder in folders:
        for name in storage.files_below(folder):
            content = storage.read(f"{folder}/{name}") or b""
            found += rewrite(f"{folder}/{name}", content, forgotten)[1]
    if found:
        raise UserError(
            f"The data hold {found} subjects who were forgotten ({path}). Take their rows out of "
            "the files or the database that the study reads, and run again."
        )
