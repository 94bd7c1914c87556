"""How far single predictions can be trusted."""

from __future__ import annotations

from dataclasses import replace

from notebooks.opened_run import OpenedRun
from notebooks.shown import Shown, show_sections
from pipeline.pages.evaluation.uncertainty_section import uncertainty_section


def trust(run: OpenedRun) -> Shown:
    """Prediction sets, intervals and what leaving subjects to people gains, as on the page.

    Args:
        run: The run.
    """
    return show_sections(
        *(
            replace(uncertainty_section(run.result, name), title=task.title)
            for name, task in run.study.tasks.items()
        )
    )
