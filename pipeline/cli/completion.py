"""What the shell offers for a study or a run; nothing here is slow to import."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from pipeline.study.shipped import shipped_studies


def complete_studies(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Shipped studies that begin as typed; otherwise files, for a study file of one's own."""
    del ctx, param
    studies = [name for name in shipped_studies() if name.startswith(incomplete)]
    return [CompletionItem(name) for name in studies] or [CompletionItem(incomplete, type="file")]


def complete_runs(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Ids of the runs below the root, newest first, with their study."""
    del param
    from pipeline.runs.run_file import find_runs

    root = Path(ctx.params.get("root") or "runs")
    return [
        CompletionItem(folder.name, help=folder.parents[1].name)
        for folder in find_runs(root)[::-1]
        if folder.name.startswith(incomplete)
    ]
