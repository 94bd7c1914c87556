"""Converts titles of a study to rows of the store."""

from __future__ import annotations

from pipeline.store.exported_study import ExportedStudy
from pipeline.store.rows import Row


def title_rows(run: str, study: ExportedStudy) -> list[Row]:
    """Rows of the titles of a run's study, tasks and slicings."""
    kinds = {
        "study": {study.study_name: study.title} if study.title else {},
        "task": study.task_titles,
        "slicing": study.slicing_titles,
    }
    return [
        {"run": run, "kind": kind, "name": name, "title": title}
        for kind, titles in kinds.items()
        for name, title in titles.items()
    ]
