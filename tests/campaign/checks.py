"""What must hold of a root, whatever happened to its runs."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

from tests.campaign.roots import STUDY

_COMPLETE = (3, 5)
"""`COMPLETE` and `CACHED` in ml_metadata/proto/metadata_store.proto."""

_HAS_EXECUTIONS = "SELECT 1 FROM sqlite_master WHERE name = 'Execution'"

_MAY_BE_EMPTY = re.compile(
    r"run\.lock|.*\.lock|BLESSED|NOT_BLESSED|NO_CHAMPION|rejects-.*\.jsonl|.*\.sqlite-(wal|shm|journal)"
)
_DRAFT = re.compile(r"\..+\.[0-9a-f]{32}|.*\.unfinished")
_RUN = re.compile(r"\d{8}T\d{6}\.\d{6}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|\+00:?00)?( UTC)?")
_ID = re.compile(r"\b[0-9a-f]{16}\b")
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
    serving = root / STUDY / "serving"
    registered = root / "registry" / STUDY
    entries = "".join(path.read_text() for path in registered.glob("history/*.json"))
    versions = [*serving.glob("*"), *serving.glob("pushed/*")]
    return [
        *(
            f"{path.relative_to(root)} has no saved_model.pb"
            for path in versions
            if path.name.isdigit() and not (path / "saved_model.pb").exists()
        ),
        *(
            f"{path.relative_to(root)} is in no entry"
            for kind in ("models", "statistics", "documents")
            for path in registered.glob(f"{kind}/*")
            if path.name not in entries
        ),
    ]


def _unfinished_outputs(own: Path) -> list[str]:
    metadata = own / "metadata.sqlite"
    if not metadata.exists():
        return []
    with sqlite3.connect(metadata) as connection:
        if not connection.execute(_HAS_EXECUTIONS).fetchone():
            return []
        states = dict(connection.execute("SELECT id, last_known_state FROM Execution").fetchall())
    running = [f"execution {number} runs" for number, state in states.items() if state == 2]
    artifacts = own / "artifacts"
    outputs = [
        f"{path.relative_to(own)} is of an unfinished execution"
        for path in artifacts.glob("*/[!.]*/*")
        if path.name.isdigit() and states.get(int(path.name)) not in _COMPLETE
    ]
    working = [
        f"{path.relative_to(own)} is a working folder"
        for path in artifacts.glob("*/.system/stateful_working_dir/*")
    ]
    return [*running, *outputs, *working]


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
