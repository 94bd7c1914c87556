"""Identity of the code: the project's folder, version, lock and source digests."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pipeline.tfx_release import installed_lock

PROJECT = Path(__file__).resolve().parents[1]


def code_version() -> str:
    """Version of this project, as setup.py has it."""
    return (PROJECT / "pipeline" / "VERSION").read_text().strip()


def lock_digest() -> str:
    """SHA-256 of the locked dependencies; empty for an installation without them."""
    lock = PROJECT / "requirements" / installed_lock() / "runtime.txt"
    return hashlib.sha256(lock.read_bytes()).hexdigest() if lock.exists() else ""


def source_digest(*packages: str) -> str:
    """Digest of all files of packages except compiled ones, in hexadecimal."""
    digest = hashlib.sha256()
    files = (path for package in packages for path in (PROJECT / package).rglob("*"))
    for path in sorted(files):
        if path.is_file() and path.parent.name != "__pycache__":
            name = path.relative_to(PROJECT).as_posix()
            digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
