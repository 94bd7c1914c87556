"""The card as a page, in the order of TRIPOD+AI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.html.blocks import (
    Block,
    Bullets,
    Cell,
    Column,
    Facts,
    KeyFigure,
    KeyFigures,
    Notice,
    Paragraph,
    Table,
)
from pipeline.html.numbers import Suppressed, Value, has_interval, number
from pipeline.html.page import Page, Section
from pipeline.html.palette import Tone
from pipeline.pages.card_performance import (
    calibration_blocks,
    champion_blocks,
    fairness_blocks,
    performance_blocks,
    uncertainty_blocks,
)
from pipeline.pages.conduct import pooled_notices, unblinded_banner
from pipeline.pages.importance import importance_blocks
from pipeline.pages.metrics import (
    task_verdicts_table,
)
from pipeline.pages.risks import risk_blocks
from pipeline.results.card import Card, StatedItem
from pipeline.results.counts import LabelCounts
from pipeline.results.documents import find_overall
from pipeline.results.scheme_words import basis_sentence, scheme_notes, scheme_title
from pipeline.results.titled_groups import with_titles
from pipeline.study.slicing_titles import slicing_titles
from pipeline.titles import title_or_name

_UNSTATED = "Not stated: add it to the study file (card)."
_SEVERITIES: dict[str, Tone] = {"ok": "good", "warn": "warn", "stop": "bad"}
_SPLIT_USES = {
    "train": "Subjects in train (fits the model)",
    "eval": "Subjects in eval (stops the training, calibrates)",
    "test": "Subjects in test (evaluation only)",
}
_ONE_USE = {"train": "Subjects, each predicted by models that never saw that subject"}
"""The same under an out-of-fold scheme."""


def titled_card(card: Card) -> Card:
    """A card whose groups have the titles of slicings, as people read it."""
    return with_titles(card, slicing_titles(card.study))


def card_page(card: Card) -> Page:
    """The page of a card.

    Args:
        card: The card.
    """
    return titled_card_page(titled_card(card))


def titled_card_page(card: Card) -> Page:
    """The page of a card that `titled_card` has made.

    Args:
        card: The card.
    """
    evidence = card.evidence
    return Page(
        title=f"Model card: {title_or_name(card.study.study, card.study.title)}",
        kicker="Model card",
        lead=(
            f"One model for {len(card.outcomes)} tasks, from what is known {_landmark(card)}: "
            f"{'; '.join(outcome.title for outcome in card.outcomes)}."
        ),
        blocks=[
            *pooled_notices(card.study),
            _decision_notice(card),
            _headline(card),
            *_scheme(card),
        ],
        banner=unblinded_banner(card.study),
        sections=[
            Section("What it is for", _intended_use(card), id="intended-use"),
            Section("Data", _data(card), id="data"),
            Section("Participants", _participants(card), id="participants"),
            Section("Outcomes", _outcomes(card), id="outcomes"),
            Section("Predictors", _predictors(card), _importance(card), id="predictors"),
            Section("Missing data", _missing(card), id="missing-data"),
            Section("Training", _training(card), id="training"),
            Section("Performance", performance_blocks(card), id="performance"),
            Section("Calibration", calibration_blocks(card), id="calibration"),
            Section("How far to trust one prediction", uncertainty_blocks(card), id="uncertainty"),
            Section("Fairness: gaps between groups", fairness_blocks(card), id="fairness"),
            Section("Findings of the data gate", _gate(card), id="gate"),
            Section("Champion", champion_blocks(card), id="champion"),
            Section("Decision", _decision(card), id="decision"),
            Section("Lineage", _lineage(card), id="lineage"),
            Section("Limits", [Bullets(card.limits)], id="limits"),
            Section("TRIPOD+AI", _tripod(card.items), id="tripod"),
        ],
        footer=(
            f"clinical-trial-pipeline {evidence.lineage.code_version}, data "
            f"{evidence.lineage.fingerprint[:12]}"
        ),
    )


def _decision_notice(card: Card) -> Notice:
    verdict = card.evidence.verdict
    titles = card.task_titles
    reasons = list(verdict.drop_texts(titles))
    reasons += [
        text
        for outcome in card.outcomes
        for text in verdict.of_task(outcome.name).reason_texts(titles)
    ]
    if verdict.decision == "refused":
        dropping = "It would drop tasks of the champion."
        why = dropping if verdict.dropped_tasks else "It failed thresholds of the study."
        return Notice("bad", "Refused", why, reasons)
    if verdict.decision == "not_judged":
        return Notice("warn", "Not judged", "No task could be judged.", reasons)
    if verdict.is_held_back:
        return Notice(
            "warn", "Blessed", "Its numbers are held back.", list(verdict.note_texts(titles))
        )
    if not verdict.judged:
        return Notice("warn", "Blessed without comparison", "", list(verdict.note_texts(titles)))
    if reasons:
        return Notice("warn", "Blessed for some tasks", "It serves no other task.", reasons)
    return Notice(
        "good", "Blessed", f"It passed all {verdict.compared} comparisons with thresholds."
    )


def _scheme(card: Card) -> list[Block]:
    """Whom the numbers above are of."""
    metrics = card.evidence.metrics
    plan = metrics.evaluation
    subjects = card.evidence.counts.subjects.get(plan.evaluated_split)
    notes = scheme_notes(metrics, card.task_titles)
    return [Paragraph(text) for text in (basis_sentence(plan, subjects), *notes)]


def _headline(card: Card) -> KeyFigures:
    figures = []
    for outcome in card.outcomes:
        record = find_overall(card.evidence.metrics.records, outcome.name, "auc")
        if record:
            interval = (
                f"95 %: {number(record.lower, 2)} to {number(record.upper, 2)}"
                if has_interval(record.estimate)
                else "no interval"
            )
            label = f"AUC: {outcome.title}"
            figures.append(KeyFigure(label, record.value, interval, decimals=2))
    return KeyFigures(figures)


def _intended_use(card: Card) -> list[Block]:
    stated = card.study.card
    return [
        Facts(
            [
                ("Purpose", stated.purpose or _UNSTATED),
                ("Users", stated.users or _UNSTATED),
                ("Not for", stated.not_for or _UNSTATED),
                ("Population", stated.population or _UNSTATED),
                ("Moment of prediction", _landmark(card)),
            ]
        ),
        Paragraph(
            "It gives probabilities for groups of patients like those of the trial. It is no "
            "medical device and no statement about the effect of a treatment."
        ),
    ]


def _data(card: Card) -> list[Block]:
    counts = card.evidence.counts
    reasons = sorted({reason for rows in counts.datasets.values() for reason in rows.reasons})
    rejected: list[Block] = (
        [Paragraph("Reasons for rejected rows:"), Bullets(reasons)] if reasons else []
    )
    return [
        Facts(
            [
                ("Fingerprint", card.evidence.lineage.fingerprint),
                ("Period", card.study.card.period or _UNSTATED),
            ]
        ),
        Table(
            "Rows of each dataset",
            [
                Column("Dataset"),
                *(Column(t, "end") for t in ("Rows", "Used", "Excluded", "Rejected")),
            ],
            [
                [name, rows.rows_in, rows.used, rows.excluded, rows.rejected]
                for name, rows in counts.datasets.items()
            ],
            [
                "Excluded: by the study file's population and window. Rejected: something in "
                "the row can't be true."
            ],
        ),
        *rejected,
    ]


def _participants(card: Card) -> list[Block]:
    evidence = card.evidence
    facts: list[tuple[str, Value]] = []
    if evidence.sites is not None:
        facts.append(("Sites", evidence.sites))
    if card.study.arm:
        facts.append(("Control arm", card.study.arm.control))
    plan = evidence.metrics.evaluation
    uses = _ONE_USE if plan.out_of_fold else _SPLIT_USES
    for split, use in uses.items():
        facts.append((use, evidence.counts.subjects.get(split, Suppressed())))
    several = len(plan.splits) > 1
    rows: list[list[Value | Cell]] = [
        [outcome.title, *((split,) if several else ()), counts.known, counts.positives]
        for outcome in card.outcomes
        for split, counts in _by_split(evidence.counts.tasks.get(outcome.name, {}), plan.splits)
    ]
    columns = [
        Column("Task"),
        *((Column("Split"),) if several else ()),
        Column("Label known", "end"),
        Column("With outcome", "end"),
    ]
    caption = "Subjects by task and split" if several else "Subjects by task"
    risks = risk_blocks(
        evidence.counts.censoring,
        {outcome.name: outcome.title for outcome in card.outcomes},
        evidence.verdict.risks,
        evidence.metrics.smallest_group,
    )
    return [Facts(facts), Table(caption, columns, rows), *risks]


def _by_split(
    counts: Mapping[str, LabelCounts], splits: Sequence[str]
) -> list[tuple[str, LabelCounts]]:
    return [(split, counts[split]) for split in splits if split in counts]


def _outcomes(card: Card) -> list[Block]:
    return [
        Table(
            "What is predicted",
            [
                Column("Task"),
                Column("Name"),
                Column("Kind"),
                Column("Until study day", "end"),
                Column("Decision thresholds"),
            ],
            [
                [
                    outcome.title,
                    outcome.name,
                    outcome.kind.replace("_", " "),
                    outcome.horizon,
                    ", ".join(f"{value:g}" for value in outcome.decision_thresholds),
                ]
                for outcome in card.outcomes
            ],
            [
                "Subjects whose label is unknown are masked: they count neither with nor without "
                "the outcome. So is who had the event, or left, at or before the landmark."
            ],
        )
    ]


def _predictors(card: Card) -> list[Block]:
    has_titles = bool(card.titles)
    return [
        Paragraph(
            f"All {len(card.features)} predictors are known {_landmark(card)}; the pipeline "
            "enforces it."
        ),
        Table(
            "Predictors",
            [
                Column("Predictor"),
                *([Column("Name")] if has_titles else []),
                Column("Kind"),
                Column("Comes from"),
            ],
            [
                [
                    feature.shown,
                    *([feature.name] if has_titles else []),
                    feature.kind,
                    feature.source,
                ]
                for feature in card.features
            ],
        ),
    ]


def _importance(card: Card) -> list[Section]:
    """What the model uses, by task."""
    importance = card.evidence.training.importance
    smallest = card.evidence.metrics.smallest_group
    plan = card.evidence.metrics.evaluation
    found = [
        (outcome.title, importance_blocks(importance, outcome.name, smallest, plan, card.titles))
        for outcome in card.outcomes
    ]
    return [Section(f"What the model uses: {title}", blocks) for title, blocks in found if blocks]


def _missing(card: Card) -> list[Block]:
    # Without a share where the number of subjects is suppressed.
    train = card.evidence.counts.subjects.get("train")
    smallest = card.evidence.metrics.smallest_group
    rows: list[list[Value | Cell]] = [
        [
            feature.shown,
            Suppressed(smallest) if feature.missing is None else feature.missing,
            None if feature.missing is None or not train else feature.missing / train,
        ]
        for feature in card.features
        if feature.missing != 0
    ]
    return [
        Paragraph(
            "No subject is excluded for a missing predictor:  numbers are filled with the training "
            "mean and flagged, a missing category is a category. The same holds when the model is "
            "used."
        ),
        Table(
            "Training subjects without a value",
            [Column("Predictor"), Column("Subjects", "end"), Column("Share", "end", 1, True)],
            rows,
            ["Predictors that are not listed have no missing value in training."],
        )
        if rows
        else Paragraph("No predictor has a missing value in training."),
    ]


def _training(card: Card) -> list[Block]:
    training = card.evidence.training
    plan = card.evidence.metrics.evaluation
    return [
        Paragraph(
            "A linear part and a small ensemble of networks with shared layers, for all tasks at "
            f"once{_division(card)} Classes are not reweighted, so probabilities stay "
            "probabilities."
        ),
        Facts(
            [
                ("Steps", training.steps),
                ("Best epoch", training.best_epoch),
                ("Weights", training.weights),
                ("Seed", str(training.seed)),
                (
                    "Seed of the folds" if plan.out_of_fold else "Seed of the split",
                    str(card.study.split.seed),
                ),
                *(
                    (name.replace("_", " "), str(value))
                    for name, value in training.hyperparameters.items()
                ),
            ]
        ),
    ]


def _division(card: Card) -> str:
    """Which subjects do what in the training; ends its sentence."""
    plan = card.evidence.metrics.evaluation
    if not plan.out_of_fold:
        return (
            ", fitted on train, stopped and calibrated on eval, evaluated on test. Subjects are "
            "dealt to the splits by a hash of study and subject, alike in arms and in the rarest "
            "outcome; none is in two splits."
        )
    dealt = (
        "A subject's fold is its group."
        if plan.scheme == "internal_external"
        else "Subjects are dealt to the folds by a hash of study and subject, alike in arms and "
        "in the rarest outcome."
    )
    return (
        f". It was trained again for every fold, without the fold's subjects, and once on all "
        f"subjects for the model that is pushed ({scheme_title(plan)}). Whatever uses outcomes - "
        "early stopping, penalties, calibration - saw the training subjects of the fold only. "
        f"{dealt}"
    )


def _gate(card: Card) -> list[Block]:
    return [
        Table(
            "What the gate measured before training",
            [Column("Rule"), Column("Outcome"), Column("Finding")],
            [
                [
                    finding.rule,
                    Cell(finding.severity, _SEVERITIES.get(finding.severity, "muted")),
                    finding.message,
                ]
                for finding in card.evidence.findings.root
            ],
        )
    ]


def _decision(card: Card) -> list[Block]:
    verdict = card.evidence.verdict
    titles = {outcome.name: outcome.title for outcome in card.outcomes}
    blocks: list[Block] = [
        task_verdicts_table(verdict, titles) if len(titles) > 1 else _decision_notice(card)
    ]
    blocks += [Paragraph(note) for note in verdict.note_texts(card.task_titles)]
    if verdict.not_judged:
        blocks.append(
            Paragraph(
                f"{len(verdict.not_judged)} groups were too small to judge: of them nothing is "
                "claimed."
            )
        )
    return blocks


def _lineage(card: Card) -> list[Block]:
    lineage = card.evidence.lineage
    return [
        Facts(
            [
                ("Code", lineage.code_version),
                ("Locked dependencies (SHA-256)", lineage.dependency_lock or "no lock was found"),
                ("Study file", lineage.study_digest),
                ("Data", lineage.fingerprint),
                *((f"Artifact: {name}", text) for name, text in lineage.artifacts.items()),
                *lineage.versions.items(),
            ]
        ),
        Paragraph(
            "The model is a TensorFlow SavedModel with the transformation inside: it takes the "
            "columns of the predictors and gives a probability for each task."
        ),
    ]


def _tripod(items: Sequence[StatedItem]) -> list[Block]:
    waiting = sum("needs a person" in item.status for item in items)
    return [
        Paragraph(
            f"Items of TRIPOD+AI (Collins et al., BMJ 2024;385:e078378). {waiting} of {len(items)} "
            "wait for a person: state them in the study file under card.statements."
        ),
        Table(
            "Items of TRIPOD+AI",
            [Column("Item"), Column("Asks for"), Column("Status"), Column("Where, or statement")],
            [
                [
                    item.number,
                    item.asks,
                    Cell(item.status, "warn" if "needs a person" in item.status else "good"),
                    item.statement or (f"section {item.section}" if item.section else None),
                ]
                for item in items
            ],
        ),
    ]


def _landmark(card: Card) -> str:
    landmark = card.study.landmark
    return "at baseline" if landmark == "baseline" else f"by study day {card.study.landmark_day}"
