"""The study of the campaign: the synthetic trial with few subjects, groups and steps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.whole_runs import LENIENT, study_copy

_SUBJECTS, _STEPS = "600", "5"

# A person promotes: a champion would have the runs after it evaluate again.
_SMALL: dict[Sequence[str], Any] = {
    **LENIENT,
    ("registry",): {"promotion": "person"},
    ("training",): {"reference_models": []},
    ("slicing", "pairs"): [],
    ("gate", "minimum"): {
        split: {"subjects": 20, "events": 1} for split in ("train", "eval", "test")
    },
}


def arguments(folder: Path) -> tuple[str, ...]:
    """Writes the study file; the command line of its runs without root and data."""
    study = study_copy(folder / "study", _SMALL)
    return ("--study", str(study), "--subjects", _SUBJECTS, "--steps", _STEPS)
