"""What must hold of a root, whatever happened to its runs."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.campaign.roots import STUDY

_COMPLETE = (3, 5)
"""`COMPLETE` and `CACHED` in ml_metadata/proto/metadata_store.proto."""

_HAS_EXECUTIONS = "SELECT 1 FROM sqlite_master WHERE name = 'Execution'"

_MAY_BE_EMPTY = re.compile(
    r".*\.lock|\d{8}T\d{6}\.\d{6}\.log|BLESSED|NOT_BLESSED|NO_CHAMPION|rejects-.*\.jsonl|.*\.sqlite-(wal|shm|journal)"
)
_DRAFT = re.compile(r"\..+\.[0-9a-f]{32}|.*\.unfinished")
_RUN = re.compile(r"\d{8}T\d{6}\.\d{6}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|\+00:?00)?( UTC)?")
_ID = re.compile(r"\b[0-9a-f]{16}\b")
"""Of a registered model."""

_VOLATILE = frozenset(
    {
        *("seconds", "run", "id", "created", "registered_at", "entry_digest"),
        *("trained_model", "model_digest", "digests"),
    }
)
_NAMED_BY_TENSORFLOW = ("saved_model.pb", "fingerprint.pb")
"""Hold names that count the functions which a process has traced; the weights lie beside them."""


def half(root: Path) -> list[str]:
    """What is not whole below a root where no run is alive: paths from the root, and why."""
    found = [*_half_files(root), *_half_models(root), *_unfinished_outputs(root / STUDY)]
    return sorted(found)


def _half_files(root: Path) -> list[str]:
    found = []
    for path in root.rglob("*"):
        if not path.is_file():
            continue
        place = str(path.relative_to(root))
        if path.stat().st_size == 0 and not _MAY_BE_EMPTY.fullmatch(path.name):
            found.append(f"{place} is empty")
        if _DRAFT.fullmatch(path.name):
            found.append(f"{place} is a draft")
        if path.suffix == ".json" and path.stat().st_size:
            try:
                json.loads(path.read_bytes())
            except ValueError:
                found.append(f"{place} is no JSON")
    return found


def _half_models(root: Path) -> list[str]:
    versions, copies = _half_versions(root), _copies_without_entry(root)
    return [
        *(f"{path.relative_to(root)} has no saved_model.pb" for path in versions),
        *(f"{path.relative_to(root)} is in no entry" for path in copies),
    ]


def _half_versions(root: Path) -> list[Path]:
    serving = root / STUDY / "serving"
    return [
        path
        for path in (*serving.glob("*"), *serving.glob("pushed/*"))
        if path.name.isdigit() and not (path / "saved_model.pb").exists()
    ]


def _copies_without_entry(root: Path) -> list[Path]:
    registered = root / "registry" / STUDY
    entries = "".join(path.read_text() for path in registered.glob("history/*.json"))
    kinds = (registered / kind for kind in ("models", "statistics", "documents"))
    return [
        path
        for folder in (*kinds, root / "registry-subjects" / STUDY)
        for path in folder.glob("*")
        if _ID.fullmatch(path.name) and path.name not in entries
    ]


def _unfinished_outputs(own: Path) -> list[str]:
    running = [f"execution {number} runs" for number, state in _states(own).items() if state == 2]
    outputs = [
        f"{path.relative_to(own)} is of an unfinished execution" for path in _unfinished(own)
    ]
    working = [
        f"{path.relative_to(own)} is a working folder"
        for path in (own / "artifacts").glob("*/.system/stateful_working_dir/*")
    ]
    return [*running, *outputs, *working]


def _unfinished(own: Path) -> list[Path]:
    states = _states(own)
    return [
        path
        for path in (own / "artifacts").glob("*/[!.]*/*")
        if path.name.isdigit() and states.get(int(path.name)) not in _COMPLETE
    ]


def _states(own: Path) -> dict[int, int]:
    """States of the executions of ML Metadata."""
    metadata = own / "metadata.sqlite"
    if not metadata.exists():
        return {}
    with closing(sqlite3.connect(metadata)) as connection:
        if not connection.execute(_HAS_EXECUTIONS).fetchone():
            return {}
        return dict(connection.execute("SELECT id, last_known_state FROM Execution").fetchall())


def unfinished(root: Path) -> frozenset[str]:
    """What holds files that count for nothing yet, by its path from the root.

    They are outputs that no stage has published, and copies of models without what is written last.
    """
    found = (*_unfinished(root / STUDY), *_half_versions(root), *_copies_without_entry(root))
    return frozenset(str(path.relative_to(root)) for path in found)


def outputs(run_file: dict[str, Any], root: Path) -> dict[str, Any]:
    """What a run wrote, by stage, output and file; without names, times and the root's path."""
    found = {}
    for stage, named in run_file["outputs"].items():
        for output, uri in named.items():
            place = Path(uri)
            files = [place] if place.is_file() else sorted(place.rglob("*"))
            for file in files:
                if file.is_file() and file.name not in _NAMED_BY_TENSORFLOW:
                    name = f"{stage}/{output}/{file.relative_to(place)}"
                    found[name] = _content(file, root)
    return found


def _content(file: Path, root: Path) -> Any:
    content = file.read_bytes()
    if file.suffix == ".gz":
        return gzip.decompress(content)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return content
    if file.suffix == ".json":
        return _settled(json.loads(text), root)
    return _settled(text, root)


def _settled(content: Any, root: Path) -> Any:
    if isinstance(content, dict):
        return {key: _settled(v, root) for key, v in content.items() if key not in _VOLATILE}
    if isinstance(content, list):
        return [_settled(item, root) for item in content]
    if isinstance(content, str):
        text = content.replace(str(root), "ROOT")
        text = re.sub(r"(ROOT/[\w./-]*?)/\d+(?=[/\s\"'<]|$)", r"\1/N", text)
        return _ID.sub("ID", _TIME.sub("TIME", _RUN.sub("RUN", text)))
    return content
