"""What people read of a run, and the names of the study file that stand there without a title."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from click.testing import CliRunner

from pipeline.cli.main import trial
from pipeline.pages.write_report import write_report
from pipeline.runs.run_file import read_training_run
from pipeline.study.features import feature_titles
from pipeline.study.slicing_titles import slicing_titles, task_titles
from pipeline.study.study import Study
from tests.html_reading import Element, read_html
from tests.whole_runs import Run

_SENTENCES = {
    "gate_findings": "message",
    "blessing_reasons": "message",
    "task_verdicts": "reason",
}
"""Texts of the store that boards show."""


_WIDE = {"COLUMNS": "250"}
"""So that no name is broken between lines."""


def views(run: Run, folder: Path) -> dict[str, str]:
    """Everything that people read of a finished run, by its place.

    Args:
        run: The run.
        folder: Where the report is written.
    """
    card = run.output("ModelCard", "card") / "card.html"
    report = write_report(folder, read_training_run(run.records))
    return {
        "terminal": run.terminal,
        "page": _read(run.records / "page.html"),
        "card": _read(card),
        "report": _read(report),
        "store": "\n".join(_stored(run.root / "store.sqlite")),
        **{" ".join(told): _answer(told, run.root) for told in _commands(run)},
    }


def bare_names(study: Study, text: str) -> list[str]:
    """Lines in which a name that has a title stands by itself.

    It may stand behind its title in brackets, as code, or in a key of the study file.
    Names without an underscore are left out: a sentence may have the same word.
    """
    titles: Mapping[str, str] = {
        **task_titles(study),
        **feature_titles(study),
        **slicing_titles(study),
    }
    names = "|".join(re.escape(name) for name in titles if "_" in name)
    bare = re.compile(rf"(?<![\w\[/.`])(?:{names})(?![\w\].`])")
    return [line for line in text.splitlines() if bare.search(line)]


def _commands(run: Run) -> Iterator[tuple[str, ...]]:
    study = ("--study", "synthetic")
    yield "verdict", *study
    yield "models", "list", *study
    model = run.file_of("ModelRegistrar", "registration", "registration.json")["entry"]["id"]
    yield "models", "show", model, *study
    yield "models", "compare", model, model, *study


def _answer(told: tuple[str, ...], root: Path) -> str:
    found = CliRunner(env=_WIDE).invoke(trial, [*told, "--root", str(root)], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.output


def _stored(path: Path) -> Iterator[str]:
    with sqlite3.connect(path) as store:
        for table, column in _SENTENCES.items():
            yield from (text for (text,) in store.execute(f"SELECT {column} FROM {table}") if text)


def _read(page: Path) -> str:
    """The text of a page but for code and for columns that give the names themselves."""
    return "\n".join(_texts(read_html(page.read_text("utf-8"))))


def _texts(element: Element) -> Iterator[str]:
    if element.tag in ("style", "script", "code"):
        return
    names = _columns_of_names(element) if element.tag == "table" else set()
    if element.tag == "table":
        for row in element.all("tr"):
            cells = [item for item in row.content if isinstance(item, Element)]
            yield from (cell.text for at, cell in enumerate(cells) if at not in names)
        return
    yield from (element.attributes.get(name, "") for name in ("aria-label", "title"))
    for item in element.content:
        if isinstance(item, str):
            yield item
        else:
            yield from _texts(item)


def _columns_of_names(table: Element) -> set[int]:
    heads = [head.text for head in table.all("th", scope="col")]
    return {at for at, head in enumerate(heads) if head in ("Name", "Comes from")}
