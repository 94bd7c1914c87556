"""What the study file says a model is for; the service shows it wherever the model is described."""

from __future__ import annotations

from typing import Any

from pipeline.service.champion import Champion
from pipeline.study.blinded import title_with_conduct


def about(champion: Champion) -> dict[str, Any]:
    """Identity, purpose and limits of a model; null where the study file does not state them."""
    study = champion.study
    stated = study.card
    return {
        "model": champion.identity(),
        "title": title_with_conduct(study) or None,
        "tasks": dict(champion.tasks),
        "intended_use": stated.purpose,
        "not_for": stated.not_for,
        "population": stated.population,
        "period": stated.period,
        "limits": list(stated.limits),
    }
