"""External validations and groups that a model did not see, on the page."""

from __future__ import annotations

from grafana.page.study_store import StudyStore, estimate
from grafana.queries import external_validation as queries
from grafana.queries.query import Row
from pipeline.estimates import Estimate
from pipeline.html.blocks import Block, Column, Details, Table
from pipeline.html.numbers import MISSING, number
from pipeline.html.page import Section
from pipeline.metrics import METRICS

_MOST_VALIDATIONS = 30


def validation_sections(store: StudyStore) -> list[Section]:
    """External validations on a study and of its models; no section where there are none.

    Args:
        store: The study.
    """
    rows = store.ask(queries.VALIDATIONS)[:_MOST_VALIDATIONS]
    if not rows:
        return []
    table = Table(
        "Do models hold on another trial?",
        (
            Column("Started"),
            Column("Validated on"),
            Column("Model"),
            Column("Task"),
            Column("Subjects", "end"),
            Column("With outcome", "end"),
            Column("AUC (95 % interval)", "end"),
            Column("Calibration in the large (95 % interval)", "end"),
            Column("Calibration slope (95 % interval)", "end", 2),
        ),
        [
            (
                f"{row['started']:%Y-%m-%d %H:%M}",
                row["validated_on"],
                row["model"],
                row["task"],
                row["subjects"],
                row["positives"],
                *(_ends(row, name) for name in ("auc", "large", "slope")),
            )
            for row in rows
        ],
        (
            "Validations on this study, and of its models on others, newest first. Calibration in "
            "the large: mean prediction minus observed rate.",
        ),
    )
    return [Section("External validation", (table, _estimates(store), *_groups(store)))]


def _ends(row: Row, name: str) -> Estimate:
    return Estimate(row[name], row[f"{name}_lower"], row[f"{name}_upper"])


def _estimates(store: StudyStore) -> Block:
    return Details(
        "Net benefit, and what simple updates would gain",
        (
            Table(
                "With 95 % intervals",
                (
                    Column("Started"),
                    Column("Validated on"),
                    Column("Task"),
                    Column("Measure"),
                    Column("Update"),
                    Column("Decision threshold"),
                    Column("Value (95 % interval)", "end", 4),
                ),
                [
                    (
                        f"{row['started']:%Y-%m-%d %H:%M}",
                        row["validated_on"],
                        row["task"],
                        row["measure"],
                        row["method"] or MISSING,
                        row["decision_threshold"] or MISSING,
                        estimate(row),
                    )
                    for row in store.ask(queries.ESTIMATES)
                ],
                ("A gain above 0 favours the update; it is estimated on other subjects.",),
            ),
        ),
    )


def _groups(store: StudyStore) -> list[Block]:
    rows = store.ask(queries.GROUPS)
    if not rows:
        return []
    return [
        Details(
            "In which groups models hold there",
            (
                Table(
                    "By group, with 95 % intervals",
                    (
                        Column("Started"),
                        Column("Validated on"),
                        Column("Task"),
                        Column("Group"),
                        Column("Measure"),
                        Column("Decision threshold"),
                        Column("Value (95 % interval)", "end", 4),
                    ),
                    [
                        (
                            f"{row['started']:%Y-%m-%d %H:%M}",
                            row["validated_on"],
                            row["task"],
                            f"{row['slicing']}: {row['slice']}",
                            row["measure"],
                            row["decision_threshold"] or MISSING,
                            estimate(row),
                        )
                        for row in rows
                    ],
                    ("Groups too small to show are left out.",),
                ),
            ),
        )
    ]


def between_groups(store: StudyStore, run: str) -> list[Block]:
    """The spread between groups of `internal_external`; nothing under other schemes.

    Args:
        store: The study.
        run: Id of the run.
    """
    rows = store.ask(queries.BETWEEN_GROUPS, run=run)
    if not rows:
        return []
    return [
        Table(
            "How much does it differ between groups that its models never saw?",
            (
                Column("Task"),
                Column("Metric"),
                Column("Groups", "end"),
                Column("Left out", "end"),
                Column("Lowest to highest", "end"),
                Column("Mean over groups (95 % interval)", "end"),
                Column("In a new group (95 %)", "end"),
            ),
            [
                (
                    row["task"],
                    METRICS[row["metric"]].title,
                    row["groups"],
                    row["left_out"],
                    _range(row, "lowest", "highest"),
                    Estimate(row["mean"], row["lower"], row["upper"]),
                    _range(row, "new_lower", "new_upper"),
                )
                for row in rows
            ],
            ("Each group is predicted by models trained without it; small groups are left out.",),
        )
    ]


def _range(row: Row, lower: str, upper: str) -> str:
    if row[lower] is None or row[upper] is None:
        return MISSING
    term = METRICS[row["metric"]]
    ends = (number(row[end], term.decimals, term.percent) for end in (lower, upper))
    return " to ".join(ends)
