"""The page of recorded outcomes: counts alone, no single subject and no outcome."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.html.blocks import Cell, Column, Facts, Paragraph, Table
from pipeline.html.numbers import Suppressed, Value, count
from pipeline.html.page import Page, Section
from pipeline.results.recorded_outcomes import RecordedOutcomes


def outcomes_page(recorded: RecordedOutcomes, title: str, code_version: str) -> Page:
    """Builds the page.

    Args:
        recorded: What is shown of the outcomes.
        title: Title of the study.
        code_version: Version of the project.
    """

    def shown(number: int | None) -> Value:
        return Suppressed(recorded.smallest_group) if number is None else number

    rows: list[Sequence[Value | Cell]] = [
        [
            task.title,
            *map(shown, (task.scored, task.after, task.censored)),
            shown(task.unknown),
        ]
        for task in recorded.tasks
    ]
    names = ("Scored", "Known before", "Censored", "Unknown")
    table = Table(
        "Subjects of this data cut who were predicted",
        (Column("Task"), *(Column(name, "end") for name in names)),
        rows,
    )
    facts = Facts(
        (
            ("Subjects of this data cut", _number(recorded.subjects, recorded)),
            ("Subjects with predictions", _number(recorded.predicted, recorded)),
            ("Study", f"{title} ({recorded.study})"),
            ("Fingerprint of these data", recorded.fingerprint),
            ("Version of the pipeline", code_version),
            ("Smallest group shown", recorded.smallest_group),
        )
    )
    return Page(
        title=title,
        kicker="Outcomes of predicted subjects",
        lead=recorded.what_was_added,
        blocks=[],
        sections=[
            Section(
                "Outcomes",
                [
                    table,
                    Paragraph(
                        "Scored: predicted before the outcome was known. Known before: the outcome "
                        "was known when the subject was predicted, so that it is not scored. "
                        "Censored: the follow-up is not complete, which is not negative. Unknown: "
                        "not known for another reason. Numbers are rounded down to a multiple of "
                        "the smallest group."
                    ),
                ],
                id="outcomes",
            ),
            Section("About this page", [facts], id="about"),
        ],
        footer="This is no medical device.",
    )


def _number(number: int | None, recorded: RecordedOutcomes) -> str:
    return f"fewer than {recorded.smallest_group}" if number is None else count(number)
