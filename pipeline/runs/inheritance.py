"""Which division a run inherits: subjects keep the part or fold that they had for the champion.

The division's digest is a parameter of TrialExampleGen, so that the cache knows it. A champion that
was made of the same data gives its run's own parameter: the same subjects are dealt to the same
parts, from the cache.
"""

from __future__ import annotations

import logging

from pipeline.results.division import NO_DIVISION
from pipeline.results.registration import RegisteredModel
from pipeline.runs.registry import Registry
from pipeline.study.digest import label_digest
from pipeline.study.study import Study

logger = logging.getLogger(__name__)


def inherited_division(
    registry_root: str, study: Study, fingerprint: str, subject_key_id: str
) -> str:
    """Digest of the division that a run inherits.

    Nothing is inherited from a champion with other label definitions or another way of dividing
    (`label_digest`: scheme, folds, shares, seed), with pseudonyms of another key, or whose division
    the registry does not hold.

    Args:
        registry_root: Root of the registry.
        study: The study.
        fingerprint: Fingerprint of the run's data.
        subject_key_id: Identifies the secret of the pseudonyms.

    Returns:
        The digest, or `none`.

    Raises:
        UserError: The registry is damaged.
    """
    registry = Registry(registry_root)
    champion = registry.champion(study.study)
    if champion is None:
        return NO_DIVISION
    digest = _candidate(champion, fingerprint)
    if digest in ("", NO_DIVISION):
        return NO_DIVISION
    reason = _reason_against(champion, study, subject_key_id)
    if not reason and registry.entry_of_division(study.study, digest) is None:
        reason = "the registry does not hold the parts of its subjects"
    if reason:
        logger.warning(
            "No subject keeps the part or fold of the champion %s: %s.", champion.id, reason
        )
        return NO_DIVISION
    return digest


def _candidate(champion: RegisteredModel, fingerprint: str) -> str:
    is_of_same_data = champion.fingerprint == fingerprint
    return champion.inherited_division if is_of_same_data else champion.division


def _reason_against(champion: RegisteredModel, study: Study, subject_key_id: str) -> str:
    if champion.subject_key_id != subject_key_id:
        return "its pseudonyms were made with another subject key"
    if champion.label_digest != label_digest(study):
        return "its label definitions or its way of dividing the subjects differ"
    return ""
