"""Which split a subject belongs to, and the keyed hash that stands for its identifier."""

from __future__ import annotations

import hashlib
import hmac

from pipeline.study.sections import Split

_SEPARATOR = "\x1f"


def split_of(study: str, subject: str, site: str | None, split: Split) -> str:
    """Assigns a subject to a split by an unkeyed hash of study, subject and split seed.

    Unkeyed, so that it is the same on every machine; champion and challenger can then be
    compared on test subjects that neither was trained on.

    Args:
        study: Name of the study.
        subject: Identifier of the subject.
        site: Site of the subject, for the hold-out of whole sites.
        split: Shares, seed and sites held out.

    Returns:
        "train", "eval" or "test".
    """
    text = _SEPARATOR.join((study, str(split.seed), subject))
    draw = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
    if split.holdout_sites:
        if site in split.holdout_sites:
            return "test"
        return "train" if draw < split.train / (split.train + split.eval) else "eval"
    if draw < split.train:
        return "train"
    return "eval" if draw < split.train + split.eval else "test"


def subject_hash(study: str, subject: str, key: bytes) -> bytes:
    """Pseudonym of a subject: HMAC-SHA-256, 32 hexadecimal digits of it."""
    text = _SEPARATOR.join((study, subject))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32].encode()
