"""Rows of the store that are made of a study."""

from __future__ import annotations

from pipeline.store.exported_study import ExportedStudy
from pipeline.store.title_rows import title_rows
from pipeline.study.blinded import POOLED, UNBLINDED, blinded
from pipeline.study.load import load_study, parse_study
from pipeline.study.shipped import find_study_file


def test_boards_read_of_an_ongoing_trial_that_its_figures_are_pooled() -> None:
    study = load_study(find_study_file("synthetic"))
    whole = parse_study({**study.to_content(), "conduct": "ongoing"}, "study.yaml")

    def title_of_study(shown: ExportedStudy) -> str:
        (title,) = (row["title"] for row in title_rows("r1", shown) if row["kind"] == "study")
        return str(title)

    assert title_of_study(ExportedStudy.of(study)) == study.title
    blind = ExportedStudy.of(blinded(whole, "study.yaml"))
    assert title_of_study(blind) == f"{study.title}. {POOLED}"
    assert title_of_study(ExportedStudy.of(whole)) == f"{study.title}. {UNBLINDED}"
