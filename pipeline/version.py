"""Identity of the code: the project's folder, version and lock."""

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
