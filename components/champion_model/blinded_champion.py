"""Whether a champion may be used while its trial is ongoing: only if it does not read the arm."""

from __future__ import annotations

import json

from pipeline import storage
from pipeline.errors import UserError
from pipeline.results.registration import RegisteredModel

_CARD = "card.json"


def check_without_arm(entry: RegisteredModel) -> None:
    """Refuses a champion that reads the arm, or of which that is not known.

    How it compares with a model that does not read the arm would say how much the arm matters.

    Args:
        entry: The champion's entry in the registry.

    Raises:
        UserError: It reads the arm, or has no card that says so.
    """
    content = storage.read(f"{entry.documents_uri}/{_CARD}") if entry.documents_uri else None
    study = json.loads(content).get("study_file") if content else None
    if study is None or "arm" in study:
        raise UserError(
            f"The champion {entry.id} of {entry.study} was trained with the arm, or its card does "
            "not say: while the trial is ongoing (`conduct: ongoing`) it can be compared with "
            "nothing. Use another root (ROOT=...), or retire it (`trial models retire`)."
        )
