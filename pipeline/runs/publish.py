"""The folder of a server of TensorFlow models, which follows the champion of the registry.

A server of this project reads the pointer `champion.json`. One that looks for the highest number in
a folder, such as TensorFlow Serving, gets::

    <serving>/<version>/    the champion; the version rises with every change of the champion
    <serving>/pushed/       what Pusher pushed, champion or not: no server looks there

Every writer takes the version from the pointer that it reads, so the highest one is the champion's,
no matter who writes last: after a rollback it is the earlier model under a new version.
"""

from __future__ import annotations

import logging
import uuid
from pathlib import Path

from pipeline import storage
from pipeline.results.trail import Served
from pipeline.runs.promotion import why_not_served
from pipeline.runs.registry import Registry

logger = logging.getLogger(__name__)

PUSHED = "pushed"
"""Folder below the serving folder that Pusher writes to."""

_MODEL = "saved_model.pb"


def publish(registry_root: str, study: str, serving: str) -> Served | None:
    """Makes a serving folder hold the champion as its highest version.

    Without a champion it holds no version, and none where the champion has no card or no blessing
    (one that an earlier release registered).

    Args:
        registry_root: Root of the registry.
        study: Name of the study.
        serving: The folder, local or in an object store.

    Returns:
        The champion that it holds now; None for none.

    Raises:
        UserError: The champion's files are damaged, or the folder can't be written.
    """
    registry = Registry(registry_root)
    while True:
        book = registry.book(study)
        champion, entry = book.pointer.champion, book.champion()
        refusal = None
        if entry:
            registry.check_files(entry)
            refusal = why_not_served(entry)
        served = None if refusal else champion
        _write(registry.folder(study), serving.rstrip("/"), served)
        # Meanwhile another writer may have changed the champion and seen the folder before this
        # one wrote to it.
        if registry.book(study).pointer.champion == champion:
            if refusal:
                logger.warning(
                    "%s holds no version: %s Run the pipeline, or promote another model.",
                    serving,
                    refusal,
                )
            return served


def unfinished_versions(serving: str | None) -> list[Path]:
    """Folders of models whose copy a writer that died did not finish.

    Args:
        serving: The folder; None for none. In an object store an unfinished version has no
            `saved_model.pb`, which is written last, so that no server loads it.

    Returns:
        Drafts of versions, and versions and pushed models without their `saved_model.pb`.
    """
    if not serving or storage.is_remote(serving):
        return []
    root = Path(serving)
    drafts = list(root.glob(f".[0-9]*.{'[0-9a-f]' * 32}"))
    named = [path for path in (*root.glob("*"), *root.glob(f"{PUSHED}/*")) if path.name.isdigit()]
    return drafts + [path for path in named if path.is_dir() and not (path / _MODEL).exists()]


def _write(folder: str, serving: str, champion: Served | None) -> None:
    if champion is None:
        for version in _versions(serving):
            storage.remove_folder(f"{serving}/{version}")
        return
    # A folder of an earlier release is named for the time of its push, which is not after now.
    if f"{champion.version}/{_MODEL}" in _files(serving):
        return
    target = f"{serving}/{champion.version}"
    source = f"{folder}/{champion.model}"
    if storage.is_remote(serving):
        storage.copy_folder(source, target, last=_MODEL)
    else:
        draft = Path(serving) / f".{champion.version}.{uuid.uuid4().hex}"
        storage.copy_folder(source, str(draft))
        _rename(draft, Path(target))
    logger.info("The served version of %s is %d.", champion.id, champion.version)


def _rename(draft: Path, target: Path) -> None:
    try:
        draft.rename(target)
    except OSError:
        # Another writer has published the same version.
        storage.remove_folder(str(draft))
        if not (target / _MODEL).exists():
            raise


def _versions(serving: str) -> set[str]:
    return {name.partition("/")[0] for name in _files(serving) if name.partition("/")[0].isdigit()}


def _files(serving: str) -> list[str]:
    return storage.files_below(serving)
