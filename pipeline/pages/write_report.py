"""Writes the report of a run."""

from __future__ import annotations

from pathlib import Path

from pipeline.documents import parse_document
from pipeline.errors import UserError
from pipeline.html.page import render
from pipeline.pages.report import report_page
from pipeline.results.analysis import Analysis
from pipeline.results.card import Card
from pipeline.results.documents import read_result
from pipeline.runs.run_file import RunFile, end_text
from pipeline.storage import read

REPORT_FILE = "report.html"


def write_report(folder: Path, run: RunFile) -> Path:
    """Writes the report of a run beside its records.

    Args:
        folder: The run's folder of records.
        run: Its `run.json`.

    Returns:
        The file, which is self-contained.

    Raises:
        UserError: The run did not reach its card.
    """
    analysis = run.output("TrialAnalysis", "analysis")
    page = report_page(
        read_card(run, folder), read_result(Analysis, analysis) if analysis else None, run.run
    )
    path = folder / REPORT_FILE
    path.write_text(render(page), encoding="utf-8")
    return path


def read_card(run: RunFile, folder: Path) -> Card:
    """Reads the model card of a run.

    Args:
        run: Its `run.json`.
        folder: The run's folder of records.

    Raises:
        UserError: The run did not reach its card.
    """
    card = run.output("ModelCard", "card")
    content = read(f"{card}/card.json") if card else None
    if content is None:
        raise UserError(
            f"{folder}: this run has no model card, so there is nothing to report: it "
            f"{end_text(run)}. Its reasons are in {folder / 'run.json'}."
        )
    remedy = "Run the pipeline again."
    return parse_document(Card, content, f"{card}/card.json", "a document of ModelCard", remedy)
