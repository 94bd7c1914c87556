"""What `trial models` shows in a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.estimates import fixed
from pipeline.metrics import METRICS
from pipeline.results.trail import WORDS, Served, TrailEntry
from pipeline.titles import Titles, called

if TYPE_CHECKING:
    from pipeline.runs.changes import Changed
    from pipeline.runs.overview import Comparison, ModelFacts, Overview
    from pipeline.runs.verify import Verified

_STYLED = {
    "champion": "[green]champion[/green]",
    "candidate": "candidate",
    "retired": "[red]retired[/red]",
}
_DIGITS = 12
_SECONDS = 19


def print_list(found: Overview) -> None:
    """Shows the models of a study and its audit trail."""
    console = Console()
    table = _table(f"Models of {found.study}", "id", "stage", "registered", "run", "serves", "AUC")
    for model in found.models:
        table.add_row(
            model.entry.id,
            _stage(model),
            _time(model.entry.registered_at),
            escape(model.entry.run),
            escape("\n".join(map(model.titles.task, model.tasks))),
            _auc(model),
        )
    console.print(table)
    _print_state(console, found)
    _print_trail(console, found.trail)


def print_model(found: Overview) -> None:
    """Shows one model and what was decided on it."""
    console = Console()
    (model,) = found.models
    entry = model.entry
    table = Table(show_header=False, box=None, title=f"Model {entry.id}", title_justify="left")
    rows = {
        "stage": _stage(model),
        "registered": _time(entry.registered_at),
        "run": escape(entry.run),
        "serves": escape("\n".join(called(task, model.titles.tasks) for task in model.tasks)),
        "compared with": model.compared_with or "not known",
        "data": entry.fingerprint[:_DIGITS],
        "study file": entry.study_digest[:_DIGITS],
        "code": escape(entry.code_version),
        "lock": entry.dependency_lock[:_DIGITS] or "not recorded",
        "model": escape(entry.model_uri),
        "card": escape(f"{entry.documents_uri}/card.html") if entry.documents_uri else "none",
        "verdict": escape(f"{entry.documents_uri}/verdict.json") if entry.documents_uri else "none",
        "may be served": escape(model.refusal or "yes"),
    }
    for name, value in rows.items():
        table.add_row(name, value)
    for name, number in entry.metrics.items():
        table.add_row(escape(_metric(name, model.titles)), fixed(number))
    for actor in model.approvals:
        table.add_row("approved by", escape(actor.words))
    console.print(table)
    _print_trail(console, found.trail)


def print_comparison(found: Comparison) -> None:
    """Shows two models beside each other."""
    console = Console()
    first, second = found.model.entry.id, found.other.entry.id
    titles = Titles({**found.other.titles.tasks, **found.model.titles.tasks})
    table = _table("Headline metrics", "metric", first, second, "difference")
    for name, (own, other) in found.metrics.items():
        difference = "" if own is None or other is None else fixed(own - other, signed=True)
        table.add_row(escape(_metric(name, titles)), _number(own), _number(other), difference)
    console.print(table)
    if found.model.compared_with != second and found.other.compared_with != first:
        console.print(
            "  [yellow]![/yellow] Neither was compared with the other in its run: the metrics may "
            "be of other subjects."
        )
    for task in found.dropped:
        console.print(f"  [yellow]![/yellow] {first} would not serve {escape(titles.task(task))}.")
    for name, same in found.same.items():
        console.print(f"  {name.replace('_', ' ')}: {'the same' if same else 'differs'}")


def print_change(changed: Changed, served: Served | None, serving: str) -> None:
    """Shows what a decision has changed."""
    console = Console()
    if changed.missing:
        console.print(f"approved  {changed.entry.model}; {changed.missing} more must approve")
    console.print(f"champion  {changed.now or 'none'} (before: {changed.before or 'none'})")
    console.print(f"trail     entry {changed.entry.number}, {WORDS[changed.entry.action]}")
    if serving:
        version = served.version if served else "no version"
        console.print(f"serving   {escape(serving)}: {version}")


def print_verified(found: Verified) -> None:
    """Shows what a check of the registry found."""
    console = Console()
    for problem in found.problems:
        console.print(f"[red]✗[/red] {escape(problem)}")
    for note in found.notes:
        console.print(f"[yellow]![/yellow] {escape(note)}")
    outcome = "[red]not whole[/red]" if found.problems else "[green]whole[/green]"
    console.print(f"{outcome}: {found.entries} entries of the trail, {found.models} models")
    if found.end:
        console.print(f"end of the trail {found.end}")


def _print_state(console: Console, found: Overview) -> None:
    console.print(f"champion  {found.champion or 'none'}")
    if found.suspended:
        console.print(
            "[yellow]Automatic promotion is suspended[/yellow] until `trial models resume`."
        )


def _print_trail(console: Console, trail: Iterable[TrailEntry]) -> None:
    table = _table("Audit trail", "no.", "when", "what", "model", "who", "why")
    for entry in trail:
        why = entry.reason or entry.refused
        table.add_row(
            str(entry.number),
            _time(entry.at),
            WORDS[entry.action],
            entry.model,
            escape(entry.actor.words),
            escape(why),
        )
    console.print(table)


def _table(title: str, *heads: str) -> Table:
    table = Table(title=title, title_justify="left")
    for head in heads:
        # An id must be readable as a whole, to be copied.
        whole = head in ("id", "model", "no.", "stage", "when")
        table.add_column(head, no_wrap=whole, overflow="fold")
    return table


def _stage(model: ModelFacts) -> str:
    was = model.was_champion and model.stage == "candidate"
    return f"{_STYLED[model.stage]}{', former champion' if was else ''}"


def _auc(model: ModelFacts) -> str:
    found = {name: value for name, value in model.entry.metrics.items() if name.endswith("/auc")}
    return ", ".join(map(fixed, found.values()))


def _metric(name: str, titles: Titles) -> str:
    """A headline metric, named `task/metric` in the registry, as people read it."""
    task, _, metric = name.partition("/")
    title = METRICS[metric].title if metric in METRICS else metric
    return f"{title}: {titles.task(task)}"


def _number(value: float | None) -> str:
    return "–" if value is None else fixed(value)


def _time(text: str) -> str:
    """A UTC time in ISO 8601 to the second."""
    return text[:_SECONDS].replace("T", " ")
