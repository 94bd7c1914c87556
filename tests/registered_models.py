"""Models for tests of the registry, with the card and the verdict that one must have."""

from __future__ import annotations

import json

VERDICT = {
    **{"blessed": True, "judged": True, "compared": 1, "comparisons": [], "reasons": []},
    **{"not_judged": [], "notes": []},
}
"""Content of the verdict on a blessed model."""


def documents(
    fingerprint: str, study_digest: str, *, blessed: bool = True, card: bool = True
) -> dict[str, bytes]:
    """Card and verdict of a model, by name.

    Args:
        fingerprint: Fingerprint of the model's data.
        study_digest: Digest of its study file.
        blessed: Whether the model is blessed.
        card: Whether it has a card.
    """
    lineage = {"fingerprint": fingerprint, "study_digest": study_digest}
    found = {"verdict.json": json.dumps({**VERDICT, "blessed": blessed}).encode()}
    if card:
        found["card.json"] = json.dumps({"evidence": {"lineage": lineage}}).encode()
    return found
