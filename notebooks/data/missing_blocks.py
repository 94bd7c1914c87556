"""Blocks on missing values by group."""

from __future__ import annotations

from collections.abc import Iterator

from notebooks.data.missingness import Missingness
from pipeline.html.blocks import (
    Block,
    Column,
    Details,
    Paragraph,
    Table,
)
from pipeline.html.charts import Measure, heat_map
from pipeline.html.numbers import Suppressed

_MOST_SITES = 12
_LEAST_SHOWN = 1 / 3
"""Smallest share of groups with a value that may be shown, for a column to be drawn."""


def missing_blocks(found: Missingness, title: str, smallest: int) -> Iterator[Block]:
    """Shares of missing values by group, drawn and in numbers."""
    if not found.shares:
        yield Paragraph("No value is missing, or there are too few subjects to show.")
        return
    first, rest = found.groups[:_MOST_SITES], found.groups[_MOST_SITES:]
    shown = [
        name
        for name in found.shares
        if sum(not isinstance(share, Suppressed) for share in found.shares[name])
        >= _LEAST_SHOWN * len(found.groups)
    ]
    hidden = [name for name in found.shares if name not in shown]
    if shown:
        yield heat_map(
            shown,
            ["overall", *(name for name, _ in first)],
            [[found.overall[name], *found.shares[name][: len(first)]] for name in shown],
            Measure(f"Share of subjects without a value, by {title}", 1, percent=True),
            f"Share of subjects without a value, by {title}, all splits together. <{smallest}: "
            f"fewer than {smallest} subjects lack it; suppressed: such a number would follow.",
        )
    if rest:
        yield Paragraph(f"Not drawn: {len(rest)} more groups that may be shown.")
    if hidden:
        yield Table(
            f"Columns whose share can be shown for hardly any {title}",
            [Column("Column"), Column("Overall", "end", 1, percent=True)],
            [[name, found.overall[name]] for name in hidden],
            [
                f"In each {title} fewer than {smallest} subjects lack a value, or have one, or the "
                "such a number would follow from the share."
            ],
        )
    sizes = Table(
        f"Subjects by {title}",
        [Column(title.capitalize()), Column("Subjects", "end")],
        [[name, size] for name, size in found.groups],
        [f"Suppressed: {found.hidden} too small, or another one would follow from them."]
        if found.hidden
        else [],
    )
    yield Details(f"Subjects by {title}", (sizes,))
