"""The result of a finished run: its paths and its summary in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from pipeline.config import RunConfig
from pipeline.results.documents import Metrics, Verdict, read_result
from pipeline.results.findings import Findings
from pipeline.results.scheme_words import basis_sentence, new_group_sentences, scheme_notes
from pipeline.results.task_verdicts import WORDS, TaskDecision
from pipeline.runners.local.display import print_words, results_table
from pipeline.runners.local.reference_lines import reference_lines
from pipeline.titles import NAMES, Titles

_OF_LABELS = ("lost_labels", "landmark_labels", "unknown_labels", "censoring")
_STYLED: Mapping[TaskDecision, str] = {
    "blessed": f"[green]{WORDS['blessed']}[/green]",
    "refused": f"[red]{WORDS['refused']}[/red]",
    "not_judged": f"[yellow]{WORDS['not_judged']}[/yellow]",
}
_SHOWN = ("metrics", "model", "serving", "records", "page")


def result_paths(
    config: RunConfig, outputs: Mapping[str, Mapping[str, str]], page: Path, blessed: bool
) -> dict[str, Path]:
    """Paths of the results of a finished run.

    Args:
        config: The run's configuration.
        outputs: URI of each output of each stage.
        page: The run's page.
        blessed: Whether the model was blessed: only then is it pushed.

    Returns:
        Path of each result, by kind.
    """
    folder = Path(outputs["TrialEvaluator"]["verdict"])
    paths = {
        "metrics": folder / "metrics.json",
        "verdict": folder / "verdict.json",
        "model": Path(outputs["Trainer"]["model"]),
        "page": page,
        "findings": Path(outputs["DataGate"]["findings"]),
    }
    if blessed and config.serving_dir:
        paths["serving"] = Path(config.serving_dir)
    return paths


def show_findings(console: Console, findings: Findings) -> None:
    """Shows the data gate's warnings, how many labels are unknown and rows are rejected, and why.

    Args:
        console: The terminal.
        findings: The gate's findings.
    """
    warnings = [item for item in findings.root if item.severity in ("stop", "warn")]
    others = [item for item in findings.root if item not in warnings]
    unknown = [item for item in others if item.rule in _OF_LABELS]
    rejected = [item for item in others if item.rule == "rejects" and item.value]
    for title, items, mark in (
        ("Warnings of the data gate", warnings, "[yellow]![/yellow]"),
        ("Labels that are unknown", unknown, "-"),
        ("Rows that were rejected", rejected, "-"),
    ):
        if items:
            console.print(f"[bold]{title}[/bold]")
        for item in items:
            print_words(console, f"  {mark} {escape(item.message)}")


def show_result(
    console: Console, verdict: Verdict, paths: Mapping[str, Path], titles: Titles = NAMES
) -> None:
    """Shows metrics, verdict, what the data gate found, and paths.

    Args:
        console: The terminal.
        verdict: The verdict on the model.
        paths: What `result_paths` found, and the run's records.
        titles: Titles of the study's tasks and slicings.
    """
    metrics = read_result(Metrics, str(paths["metrics"].parent))
    console.print()
    plan = metrics.evaluation
    print_words(console, results_table(metrics.records, console.width, plan, titles))
    references = reference_lines(metrics, console.width, titles)
    if references:
        print_words(console, references)
    _show_scheme(console, metrics, titles)
    _show_verdict(console, verdict, metrics.tasks, titles)
    if verdict.not_judged:
        print_words(
            console,
            f"  {len(verdict.not_judged)} groups are too small to judge "
            f"(fewer than {metrics.smallest_group} subjects with a known label)",
        )
    if "findings" in paths:
        show_findings(console, read_result(Findings, str(paths["findings"])))
    console.print()
    for name in _SHOWN:
        if name in paths:
            console.print(f"{name:<9} {escape(str(paths[name]))}")


def _show_scheme(console: Console, metrics: Metrics, titles: Titles) -> None:
    """Shows what the numbers are of; under `split` the table's title has said it."""
    plan = metrics.evaluation
    basis = (basis_sentence(plan),) if plan.out_of_fold else ()
    for text in (
        *basis,
        *scheme_notes(metrics, titles),
        *new_group_sentences(metrics, titles),
    ):
        print_words(console, f"  {escape(text)}")


def _show_verdict(console: Console, verdict: Verdict, tasks: Sequence[str], titles: Titles) -> None:
    """Shows the verdict on the model and on each task, notes and reasons."""
    console.print(_STYLED[verdict.decision])
    for task in tasks if len(tasks) > 1 else ():
        console.print(f"  {escape(titles.task(task))}: {_STYLED[verdict.of_task(task).verdict]}")
    for note in verdict.note_texts(titles):
        print_words(console, f"  {escape(note)}")
    not_judged = [
        text
        for found in verdict.tasks.values()
        if found.verdict == "not_judged"
        for text in found.reason_texts(titles)
    ]
    for text in verdict.reason_texts(titles):
        mark = "[yellow]?[/yellow]" if text in not_judged else "[red]✗[/red]"
        print_words(console, f"  {mark} {escape(text)}")
