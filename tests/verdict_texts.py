"""Texts of a verdict document, with names, as the views make them from it."""

from __future__ import annotations

from typing import Any

from pipeline.results.documents import Verdict
from pipeline.results.judged import Judged
from pipeline.titles import NAMES


def text_of(item: Any) -> str:
    """The text of a reason, a note or a comparison, as JSON-like content."""
    return Judged.model_validate(item).text(NAMES)


def note_texts(verdict: Any) -> list[str]:
    """The texts of all notes of a verdict, as JSON-like content."""
    return list(Verdict.model_validate(verdict).note_texts(NAMES))
