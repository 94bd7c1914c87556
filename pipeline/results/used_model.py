"""The registered model that a run uses."""

from __future__ import annotations

from pipeline.errors import UserError
from pipeline.results.documents import read_result
from pipeline.results.registration import RegisteredModel, Registration
from pipeline.results.validation import ValidatedModel


def read_used_model(folder: str) -> RegisteredModel:
    """Reads which model RegisteredModel loaded.

    Args:
        folder: Folder of its output `registration`.

    Raises:
        UserError: The file is missing or invalid, or names no model.
    """
    entry = read_result(Registration, folder).entry
    if entry is None:
        raise UserError(f"{folder}: no entry of the registry. Run RegisteredModel again.")
    return entry


def shown_model(entry: RegisteredModel) -> ValidatedModel:
    """What a document shows of a registered model."""
    return ValidatedModel(
        id=entry.id,
        study=entry.study,
        registered_at=entry.registered_at,
        fingerprint=entry.fingerprint,
        model_digest=entry.model_digest,
    )
