"""Hashes of subjects: those that order the deal, and the keyed ones that are their pseudonyms."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_SEPARATOR = "\x1f"
_BLOCK = hashlib.sha256().block_size
_INNER, _OUTER = 0x36, 0x5C


def deal_hashes(study: str, subjects: Iterable[str], seed: int) -> NDArray[np.uint64]:
    """Hashes that order the subjects for the deal: of study, seed and subject, 64 bits.

    Unkeyed, so that they are the same on every machine.

    Returns:
        One for each subject.
    """
    start = _SEPARATOR.join((study, str(seed), "")).encode()
    digests = [hashlib.sha256(start + subject.encode()).digest() for subject in subjects]
    return np.frombuffer(b"".join(digests), ">u8")[::4].astype(np.uint64)


def subject_hashes(study: str, subjects: Iterable[str], key: bytes) -> list[bytes]:
    """Pseudonyms of subjects: HMAC-SHA-256 (RFC 2104), 32 hexadecimal digits of it.

    Written out, since what the key and the study's name add to it is hashed once for all subjects:
    a call of `hmac` for each would take three times as long.

    Returns:
        One for each subject.
    """
    padded = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner = hashlib.sha256(bytes(byte ^ _INNER for byte in padded))
    inner.update(_SEPARATOR.join((study, "")).encode())
    outer = hashlib.sha256(bytes(byte ^ _OUTER for byte in padded))
    found = []
    for subject in subjects:
        inside, outside = inner.copy(), outer.copy()
        inside.update(subject.encode())
        outside.update(inside.digest())
        found.append(outside.hexdigest()[:32].encode())
    return found


def subject_hash(study: str, subject: str, key: bytes) -> bytes:
    """Pseudonym of one subject; see `subject_hashes`."""
    return subject_hashes(study, [subject], key)[0]
