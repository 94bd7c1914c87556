"""Hashes of a subject: the one that orders the deal, and the keyed one that is its pseudonym."""

from __future__ import annotations

import hashlib
import hmac

_SEPARATOR = "\x1f"


def deal_hash(study: str, subject: str, seed: int) -> int:
    """Hash that orders the subjects for the deal: of study, seed and subject, 64 bits.

    Unkeyed, so that it is the same on every machine.
    """
    text = _SEPARATOR.join((study, str(seed), subject))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def subject_hash(study: str, subject: str, key: bytes) -> bytes:
    """Pseudonym of a subject: HMAC-SHA-256, 32 hexadecimal digits of it."""
    text = _SEPARATOR.join((study, subject))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32].encode()
