"""The model card: `card.json`, made from the documents of the run's stages.

ModelCard writes it; the card's page and the report are drawn from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pipeline.documents import Document
from pipeline.names import ARM, SITE
from pipeline.results.counts import Counts
from pipeline.results.documents import Curves, MetricRecord, Metrics, Verdict
from pipeline.results.evaluation_plan import EvaluationPlan
from pipeline.results.fairness import Gap, gaps
from pipeline.results.findings import Findings
from pipeline.results.scheme_words import (
    FINAL_MODEL,
    MEAN_PROVES_NOTHING,
    evaluated_subjects,
)
from pipeline.results.training import TrainingFacts
from pipeline.study.features import ResolvedFeature, feature_columns, feature_titles
from pipeline.study.load import parse_study
from pipeline.study.slicing_titles import study_titles
from pipeline.study.study import Study
from pipeline.study.tripod import ITEMS, FilledBy
from pipeline.titles import Titles, title_or_name

ItemStatus = Literal[
    "filled by the run",
    "filled by the run and a person",
    "filled in part by the run, needs a person",
    "stated by a person",
    "needs a person",
]


class Feature(Document):
    """A predictor.

    Attributes:
        name: Its column.
        title: What people read; null without a title, and in a card of an earlier release.
        kind: `number` or `category`.
        source: Dataset, column, rows and aggregate that it comes from, in words.
        missing: Training subjects without a value; None for 1 or more, but fewer than the smallest
            group.
    """

    name: str
    kind: str
    source: str
    missing: int | None
    title: str | None = None

    @property
    def shown(self) -> str:
        """Its title; its name without one."""
        return title_or_name(self.name, self.title)


class Outcome(Document):
    """A task.

    Attributes:
        name: Its name.
        title: Its title.
        kind: `outcome`, `response` or `adverse_event`.
        horizon: Last study day that counts; None where the label is a state.
        decision_thresholds: Probabilities from which a prediction is positive.
    """

    name: str
    title: str
    kind: str
    horizon: int | None
    decision_thresholds: tuple[float, ...]


class Lineage(Document):
    """Lineage of the model.

    Attributes:
        code_version: Version of this project.
        dependency_lock: SHA-256 of the locked dependencies; empty if there is no lock.
        versions: Versions of the main dependencies of the run.
        study_digest: Digest of the study file.
        fingerprint: Fingerprint of the data.
        artifacts: Id and URI of each artifact that the card was made from.
    """

    code_version: str
    dependency_lock: str
    versions: dict[str, str]
    study_digest: str
    fingerprint: str
    artifacts: dict[str, str]


class StatedItem(Document):
    """An item of TRIPOD+AI with its status.

    Attributes:
        number: The item's number.
        part: Part of the report that it belongs to.
        asks: The text of the item.
        status: Whether the run or a person has answered it, or it is open.
        section: Section of the card that answers it.
        statement: A person's answer; null without one.
    """

    number: str
    part: str
    asks: str
    status: ItemStatus
    section: str
    statement: str | None


class Evidence(Document):
    """Documents of the run's stages.

    Attributes:
        metrics: The Evaluator's metrics of all groups that may be shown.
        verdict: The Evaluator's verdict.
        curves: The Evaluator's curves.
        findings: DataGate's findings.
        counts: TrialExampleGen's counts.
        training: Trainer's record of the training.
        missing: Training subjects without a value by column; None for 1 or more, but fewer than the
            smallest group.
        sites: Number of sites; None if the study has none.
        champion: Id of the champion that was scored on the same subjects; None without one.
        lineage: Lineage of the model.
    """

    metrics: Metrics
    verdict: Verdict
    curves: Curves
    findings: Findings
    counts: Counts
    training: TrainingFacts
    missing: dict[str, int | None]
    sites: int | None
    champion: str | None
    lineage: Lineage


class Card(Document):
    """`card.json`.

    Attributes:
        study_file: Content of the study file.
        evidence: Documents of the run's stages.
        features: Predictors.
        outcomes: Tasks.
        gaps: Largest gaps between groups.
        items: Items of TRIPOD+AI.
        limits: Limitations of the numbers.
    """

    study_file: dict[str, Any]
    evidence: Evidence
    features: tuple[Feature, ...]
    outcomes: tuple[Outcome, ...]
    gaps: tuple[Gap, ...]
    items: tuple[StatedItem, ...]
    limits: tuple[str, ...]

    @property
    def titles(self) -> dict[str, str]:
        """Titles of the predictors that have one, by name."""
        return {feature.name: feature.title for feature in self.features if feature.title}

    @property
    def task_titles(self) -> Titles:
        """Titles of the tasks, for texts."""
        return Titles.of({outcome.name: outcome.title for outcome in self.outcomes})

    @property
    def study(self) -> Study:
        """The study."""
        return parse_study(self.study_file, "the study of a card")


def make_card(study: Study, evidence: Evidence) -> Card:
    """Makes a card of a run.

    Args:
        study: The study.
        evidence: Documents of the run's stages.
    """
    return Card(
        study_file=study.to_content(),
        evidence=evidence,
        features=_features(study, evidence.missing),
        outcomes=tuple(
            Outcome(
                name=name,
                title=task.title,
                kind=task.kind,
                horizon=task.horizon,
                decision_thresholds=task.decision_thresholds,
            )
            for name, task in study.tasks.items()
        ),
        gaps=tuple(gaps(evidence.metrics.records)),
        items=tuple(_items(study)),
        limits=(*study.card.limits, *_limits(evidence, study_titles(study))),
    )


def _features(study: Study, missing: Mapping[str, int | None]) -> tuple[Feature, ...]:
    """All columns that the model reads: those of the study file, the arm, the site."""
    titles = feature_titles(study)
    features = [
        Feature(
            name=feature.name,
            kind=feature.kind,
            source=_source(feature),
            missing=missing.get(feature.name),
            title=titles.get(feature.name),
        )
        for feature in study.resolved_features
    ]
    _, categories = feature_columns(study)
    places = {
        ARM: study.arm.columns if study.arm else (),
        SITE: (study.site.column,) if study.site else (),
    }
    features += [
        Feature(
            name=name,
            kind="category",
            source=", ".join([study.subject.dataset, *columns]),
            missing=missing.get(name, 0),
        )
        for name, columns in places.items()
        if name in categories
    ]
    return tuple(features)


def _source(feature: ResolvedFeature) -> str:
    parts = [feature.dataset]
    if feature.column:
        parts.append(feature.column)
    if feature.parameter:
        parts.append(f"rows of {feature.parameter}")
    text = ", ".join(parts)
    return f"{feature.aggregate} of {text}" if feature.aggregate else text


def _items(study: Study) -> Iterator[StatedItem]:
    stated = {**_from_card(study), **study.card.statements}
    for item in ITEMS.values():
        yield StatedItem(
            number=item.number,
            part=item.part,
            asks=item.asks,
            status=_status(item.filled_by, item.number in stated),
            section=item.section,
            statement=stated.get(item.number),
        )


def _from_card(study: Study) -> dict[str, str]:
    """Items that the card's own keys answer."""
    card = study.card
    answers = {
        "3b": card.purpose and " ".join(filter(None, (card.purpose, card.users))),
        "5b": card.period,
        "6b": card.population,
        "26": " ".join(card.limits),
    }
    return {number: text for number, text in answers.items() if text}


def _status(filled_by: FilledBy, stated: bool) -> ItemStatus:
    if filled_by == "run":
        return "filled by the run"
    if filled_by == "person":
        return "stated by a person" if stated else "needs a person"
    if stated:
        return "filled by the run and a person"
    return "filled in part by the run, needs a person"


def _limits(evidence: Evidence, titles: Titles) -> list[str]:
    metrics = evidence.metrics
    limits = [
        _not_measured(metrics.evaluation),
        "95 % intervals are not adjusted for multiplicity: with as many numbers as here, some "
        "intervals do not include the true value.",
    ]
    if metrics.evaluation.out_of_fold:
        limits.append(f"The numbers are those of the procedure: {FINAL_MODEL}")
    if metrics.evaluation.scheme == "cross_fit":
        limits.append(MEAN_PROVES_NOTHING)
    if metrics.suppressed:
        limits.append(
            f"Groups of fewer than {metrics.smallest_group} subjects, and groups from which they "
            "would "
            "follow, are suppressed: performance in them is not shown."
        )
    few = _few_events(metrics.records)
    if few:
        limits.append(
            f"Fewer than 100 {evaluated_subjects(metrics.evaluation)} had the outcome, so that "
            "performance is uncertain (Vergouwe et al., J Clin Epidemiol 2005;58:475-83): "
            f"{'; '.join(map(titles.task, few))}."
        )
    if evidence.champion is None:
        limits.append(
            "There was no comparable champion: no evidence shows that the model is better."
        )
    return limits


def _not_measured(plan: EvaluationPlan) -> str:
    if plan.scheme == "internal_external":
        return (
            f"Performance was measured in {plan.folds} groups of the same trial, each predicted "
            "without its own subjects; performance outside a trial was not measured."
        )
    return (
        "Performance was measured in subjects of the same trial as the training subjects; "
        "performance at other sites, in other years or outside a trial was not measured."
    )


def _few_events(records: Sequence[MetricRecord]) -> list[str]:
    events = {record.task: record.positives for record in records if not record.slice}
    return [task for task, positives in events.items() if positives < 100]
