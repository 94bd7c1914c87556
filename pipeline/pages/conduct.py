"""What a page says of a trial that is still running."""

from __future__ import annotations

from pipeline.html.blocks import Notice
from pipeline.study.blinded import POOLED, UNBLINDED, left_out
from pipeline.study.study import Study


def pooled_notices(study: Study) -> list[Notice]:
    """The notice of a blinded page; none on any other."""
    return [Notice("warn", POOLED, left_out(study.hidden))] if study.hidden else []


def unblinded_banner(study: Study) -> str:
    """The banner of an unblinded page; empty on any other."""
    return UNBLINDED if study.is_unblinded else ""
