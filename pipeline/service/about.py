"""What a model is for and where it was not judged, wherever the service describes it."""

from __future__ import annotations

from typing import Any

from pipeline.service.champion import Champion
from pipeline.service.judged import GROUP_TITLES
from pipeline.study.blinded import title_with_conduct


def about(champion: Champion) -> dict[str, Any]:
    """Identity, purpose and limits of a model; null where the study file does not state them.

    `not_judged_in` has the groups in which its card does not judge it; none where the card does not
    say.
    """
    study = champion.study
    stated = study.card
    return {
        "model": champion.identity(),
        "title": title_with_conduct(study) or None,
        "tasks": dict(champion.tasks),
        "intended_use": stated.purpose,
        "users": stated.users,
        "not_for": stated.not_for,
        "population": stated.population,
        "period": stated.period,
        "limits": list(stated.limits),
        "not_judged_in": [
            {"group": group, "flag": flag, "title": GROUP_TITLES[flag]}
            for flag, group in champion.judged.unjudged()
        ],
    }
