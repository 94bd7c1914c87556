"""Forgets subjects below a root, beside its registry and in a prediction log."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline import storage
from pipeline.errors import UserError
from pipeline.forgetting.cache import METADATA, bar_executions
from pipeline.forgetting.files import rewrite
from pipeline.forgetting.kinds import REMOVED, REWRITTEN
from pipeline.outputs.output import Within
from pipeline.outputs.register import called, outputs_of
from pipeline.predictions.open_log import open_log
from pipeline.results.registration import RegisteredModel
from pipeline.runs.alive import no_living_run
from pipeline.runs.divisions import subjects_root
from pipeline.runs.forgotten import Forgotten
from pipeline.runs.registry import Registry

UNFINISHED = "unfinished outputs"
"""What runs that died have left: no register has it, and it may hold rows."""

IN_LOG = "prediction log"

_DIVISION = "division of a registered model"
_WRITES_AGAIN = "it would write what is to be removed. Forget the subject when the run has ended."
_TABLE = ".parquet"
_EXAMPLES = ".gz"
_ARTIFACTS = "artifacts"
_DRAFT = re.compile(r"\..+\.[0-9a-f]{32}")


@dataclass
class Forgetting:
    """What was found of some subjects.

    Attributes:
        files: How many files were written again or removed, by kind of output.
        rows: How many rows of them were removed, by kind.
        executions: How many executions were taken out of the cache.
        runs: Runs that had them in their data.
        models: Registered models of such runs.
    """

    files: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    executions: int = 0
    runs: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)

    def count(self, kind: str, rows: int) -> None:
        """Counts a file that was written again without rows."""
        self.files[kind] += 1
        self.rows[kind] += rows


def forget_subjects(
    root: Path,
    registry: str,
    prediction_log: str,
    forgotten: Forgotten,
    tell: Callable[[Forgetting], None] | None = None,
) -> Forgetting:
    """Removes subjects of a study, while none of its runs is alive.

    Args:
        root: Root of the runs.
        registry: Root of the registry: a folder, or `s3://bucket/folder`.
        prediction_log: Address of the prediction log; empty for none.
        forgotten: The subjects.
        tell: Gets runs and models before the first row is removed: they are known by the rows, so
            that a command that is repeated does not find them.

    Returns:
        What was found.

    Raises:
        UserError: A run of the study is alive, or a file can't be read or written. What was removed
            until then stays removed: the command may be repeated.
    """
    found = Forgetting()
    own = root / forgotten.study
    with no_living_run((own, *own.glob("*")), _WRITES_AGAIN):
        files = list(_files_with(root, own, forgotten))
        artifacts = {_artifact_of(path) for path, _ in files if _ARTIFACTS in path.parts}
        divisions = divisions_with(subjects_root(registry), forgotten)
        found.runs = sorted(_runs_with(own, artifacts))
        found.models = sorted(_models_of(registry, forgotten.study, found.runs, divisions))
        if tell:
            tell(found)
        # What may not answer is first: until it does, nothing else has changed.
        if prediction_log:
            found.rows[IN_LOG] += forget_in_log(prediction_log, forgotten)
        # Before the first file changes: a command that is repeated finds no subject in it.
        for metadata in (own / METADATA, *sorted(own.glob(f"*/{METADATA}"))):
            found.executions += bar_executions(metadata, artifacts)
        for path, kind in files:
            content, removed = rewrite(str(path), path.read_bytes(), forgotten)
            _replace(path, content)
            found.count(kind, removed)
        _remove_files(root, own, found)
        forget_in_divisions(divisions, forgotten, found)
    return found


def forget_in_log(address: str, forgotten: Forgotten) -> int:
    """Removes subjects from a prediction log.

    Args:
        address: Its address.
        forgotten: The subjects, whose pseudonyms are those that it holds itself.

    Returns:
        How many rows it had of them.

    Raises:
        UserError: The log does not answer, or refuses.
    """
    log = open_log(address)
    tables = (*log.read(forgotten.study), *log.read_outcomes(forgotten.study))
    names = {name for table in tables for name in table["subject_hash"].to_pylist() if name}
    them = {name for name in names if forgotten.has(name.encode())}
    return log.forget(forgotten.study, them)


def divisions_with(folder: str, forgotten: Forgotten) -> dict[str, str]:
    """Divisions of registered models that have subjects.

    Args:
        folder: The part of a registry that holds pseudonyms: a folder, or `s3://bucket/folder`.
        forgotten: The subjects.

    Returns:
        The model of each file, by its path.
    """
    kind = called(_DIVISION)
    found = {}
    for name in storage.files_below(f"{folder}/{forgotten.study}"):
        place = f"{forgotten.study}/{name}"
        if not (kind.holds(place) and name.endswith(_TABLE)):
            continue
        path = f"{folder}/{place}"
        if rewrite(path, storage.read(path) or b"", forgotten)[1]:
            found[path] = name.partition("/")[0]
    return found


def forget_in_divisions(paths: Iterable[str], forgotten: Forgotten, found: Forgetting) -> None:
    """Removes subjects from divisions of registered models.

    Args:
        paths: Those of `divisions_with`.
        forgotten: The subjects.
        found: What was found, which is added to.
    """
    for path in paths:
        content, removed = rewrite(path, storage.read(path) or b"", forgotten)
        storage.write_private(path, content)
        found.count(_DIVISION, removed)


def _files_with(root: Path, own: Path, forgotten: Forgotten) -> Iterator[tuple[Path, str]]:
    """Files of the study's runs that hold rows of them, with their kind."""
    for path in _files(own):
        kinds = {output.name for output in outputs_of(Within.ROOT, _place(path, root))}
        has_rows = path.suffix in (_TABLE, _EXAMPLES)
        for kind in kinds & set(REWRITTEN):
            if has_rows and rewrite(str(path), path.read_bytes(), forgotten)[1]:
                yield path, kind


def _remove_files(root: Path, own: Path, found: Forgetting) -> None:
    """Removes what can't be searched, and what runs that died have left."""
    for path in _files(own):
        kinds = {output.name for output in outputs_of(Within.ROOT, _place(path, root))}
        removed = kinds & set(REMOVED)
        if not kinds and (_ARTIFACTS in path.parts or _DRAFT.fullmatch(path.name)):
            removed = {UNFINISHED}
        for kind in removed:
            path.unlink()
            found.files[kind] += 1
    log = called("log of a run")
    for folder in (*own.glob("records/*"), *own.glob("*/records/*")):
        path = root / "logs" / f"{folder.name}.log"
        if path.is_file() and log.holds(_place(path, root)):
            path.unlink()
            found.files[log.name] += 1


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def _place(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _replace(path: Path, content: bytes) -> None:
    """Writes a file whole, for the same readers."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    with storage.errors_for_people(str(path)):
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                os.fchmod(stream.fileno(), path.stat().st_mode & 0o777)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


def _artifact_of(path: Path) -> str:
    """The artifact that a file is a part of."""
    place = len(path.parts) - path.parts[::-1].index(_ARTIFACTS)
    return "/".join(path.parts[place : place + 3])


def _runs_with(own: Path, artifacts: set[str]) -> Iterator[str]:
    """Runs that wrote or used artifacts, by their records."""
    for path in (*own.glob("records/*/run.json"), *own.glob("*/records/*/run.json")):
        outputs = json.loads(path.read_text(encoding="utf-8")).get("outputs", {})
        places = {place for named in outputs.values() for place in named.values()}
        if artifacts & {"/".join(place.rstrip("/").split("/")[-3:]) for place in places}:
            yield path.parent.name


def _models_of(
    registry: str, study: str, runs: Collection[str], divisions: Mapping[str, str]
) -> set[str]:
    """Models of runs, and those whose division had the subjects."""
    registered = _registered(registry, study)
    return {*divisions.values(), *(entry.id for entry in registered if entry.run in runs)}


def _registered(registry: str, study: str) -> tuple[RegisteredModel, ...]:
    try:
        return Registry(registry).history(study)
    except UserError:
        # What `trial models verify` finds must not keep a subject in the files.
        return ()
