"""The page of a scoring: how many subjects, which risks, which flags; no single subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.estimates import Estimate
from pipeline.html.blocks import Block, Cell, Column, Facts, Notice, Paragraph, Table
from pipeline.html.charts import Bar, Measure, bar_chart
from pipeline.html.numbers import Suppressed, Value, count, text_of
from pipeline.html.page import Page, Section
from pipeline.pages.uncertainty import OF_SCORED, OF_SHIFTED
from pipeline.results.scoring import FLAG_TITLES, FlagCount, ScoredTask, Scoring
from pipeline.results.uncertainty import is_part
from pipeline.study.sections import Reaction
from pipeline.titles import titled

_REACTIONS: Mapping[Reaction, str] = {
    "flag": "predicted and flagged",
    "refuse": "not predicted",
    "ignore": "predicted",
}


def scoring_page(scoring: Scoring, title: str, code_version: str) -> Page:
    """Builds the page.

    Args:
        scoring: What is shown of the predictions.
        title: Title of the study.
        code_version: Version of the project.
    """
    warnings = [item.message for item in scoring.skew if item.severity == "warn"]
    who = (
        f"fewer than {scoring.smallest_group} subjects"
        if scoring.subjects is None
        else f"{count(scoring.subjects)} subjects"
    )
    return Page(
        title=title,
        kicker="Predictions of a registered model",
        lead=(
            f"The model {scoring.model.id} predicted {who} whose outcome is not known. "
            f"{_where(scoring)}"
        ),
        blocks=[Notice("warn", "These subjects differ from the training data", "", warnings)]
        if warnings
        else [],
        sections=[
            Section("Predicted risks", _risks(scoring), id="risks"),
            Section("Flags", _flags(scoring), id="flags"),
            Section("Beside the training data", _skew(scoring), id="skew"),
            Section("About this page", _about(scoring, title, code_version), id="about"),
        ],
        footer="A prediction is no diagnosis, and this is no medical device.",
    )


def _where(scoring: Scoring) -> str:
    """Where the predictions themselves are."""
    if scoring.logged:
        return "The predictions themselves were added to the prediction log."
    return "The predictions themselves are in a file that only its owner can read."


def _risks(scoring: Scoring) -> list[Block]:
    rows: list[Sequence[Value | Cell]] = [
        [task.title, Suppressed(scoring.smallest_group) if task.mean is None else task.mean]
        for task in scoring.tasks
    ]
    table = Table(
        "Mean predicted risk", (Column("Task"), Column("Mean", "end", 1, percent=True)), rows
    )
    charts = (_distribution(task) for task in scoring.tasks if task.bands)
    return [table, *charts, *_uncertainty(scoring)]


def _uncertainty(scoring: Scoring) -> list[Block]:
    """What the intervals and sets in the file hold, where there are some."""
    if not any(is_part(output) for task in scoring.tasks for output in task.outputs):
        return []
    differ = any(item.severity == "warn" for item in scoring.skew)
    return [Paragraph(f"{OF_SCORED} {OF_SHIFTED}" if differ else OF_SCORED)]


def _distribution(task: ScoredTask) -> Block:
    bars = [
        Bar(f"{_percent(band.lower)} to {_percent(band.upper)}", Estimate(band.share))
        for band in task.bands
    ]
    return bar_chart(
        bars,
        Measure("share of the predicted subjects", 0, percent=True),
        f"{task.title}: subjects by predicted risk. Bands of few subjects are joined.",
    )


def _percent(risk: float) -> str:
    return text_of(risk, 0, True)


def _flags(scoring: Scoring) -> list[Block]:
    if not scoring.flags:
        return [Paragraph("No subject is flagged.")]
    return [
        Table(
            "Flagged subjects",
            (Column("Flag"), Column("Feature"), Column("Subjects", "end"), Column("They are")),
            [_flag_row(flag, scoring.smallest_group) for flag in scoring.flags],
            ["A subject may have several flags; the predictions name them for each."],
        )
    ]


def _flag_row(flag: FlagCount, smallest_group: int) -> Sequence[Value | Cell]:
    return [
        titled(flag.flag, FLAG_TITLES),
        flag.about or "",
        Suppressed(smallest_group) if flag.subjects is None else flag.subjects,
        _REACTIONS[flag.reaction],
    ]


def _skew(scoring: Scoring) -> list[Block]:
    if not scoring.skew:
        return [
            Paragraph(
                f"Fewer than {scoring.smallest_group} subjects are not compared with the "
                "training data as a whole; each of them is flagged where its values are new."
            )
        ]
    return [
        Table(
            "Distributions of the features beside those of the training data",
            (Column("Feature"), Column("What was found"), Column("Distance", "end", 3)),
            [
                [
                    item.about or "",
                    item.message,
                    item.value
                    if item.severity == "ok" or item.value is None
                    else Cell(item.value, "warn"),
                ]
                for item in scoring.skew
            ],
        )
    ]


def _about(scoring: Scoring, title: str, code_version: str) -> list[Block]:
    model = scoring.model
    return [
        Facts(
            (
                ("Model", f"{model.id} of the study {model.study}"),
                ("Registered", model.registered_at),
                ("Digest of the model", model.model_digest or "not recorded"),
                ("Fingerprint of its training data", model.fingerprint),
                ("Study", f"{title} ({scoring.study})"),
                ("Fingerprint of these data", scoring.fingerprint),
                ("Version of the pipeline", code_version),
                ("Smallest group shown", scoring.smallest_group),
            )
        )
    ]
