"""What a model card says, gathered from what the run's stages wrote: `card.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pipeline.fairness import Gap, gaps
from pipeline.results import Counts, Curves, Findings, MetricRecord, Metrics, Verdict
from pipeline.study import Study
from pipeline.tripod import ITEMS, FilledBy

ItemStatus = Literal[
    "filled by the run",
    "filled by the run and a person",
    "filled in part by the run, needs a person",
    "stated by a person",
    "needs a person",
]


@dataclass(frozen=True)
class Feature:
    """A predictor.

    Attributes:
        name: Its column.
        kind: `number` or `category`.
        source: Dataset, column, rows and aggregate that it comes from, in words.
        missing: Training subjects without a value; None where they are few, but some.
    """

    name: str
    kind: str
    source: str
    missing: int | None


@dataclass(frozen=True)
class Outcome:
    """A task.

    Attributes:
        name: Its name.
        title: Its title.
        kind: `outcome`, `response` or `adverse_event`.
        horizon: Last study day that counts; None where the label is a state.
        decision_thresholds: Probabilities from which on a prediction counts as positive.
    """

    name: str
    title: str
    kind: str
    horizon: int | None
    decision_thresholds: tuple[float, ...]


@dataclass(frozen=True)
class Lineage:
    """Where the model comes from.

    Attributes:
        code_version: Version of this project.
        dependency_lock: SHA-256 of the locked dependencies.
        versions: Versions of the main dependencies that ran.
        study_digest: Digest of the study file.
        fingerprint: Fingerprint of the data.
        artifacts: Id or address of each artifact that the card was made from.
    """

    code_version: str
    dependency_lock: str
    versions: Mapping[str, str]
    study_digest: str
    fingerprint: str
    artifacts: Mapping[str, str]


@dataclass(frozen=True)
class Evidence:
    """What the run's stages wrote."""

    metrics: Metrics
    verdict: Verdict
    curves: Curves
    findings: Findings
    counts: Counts
    training: Mapping[str, Any]
    missing: Mapping[str, int | None]
    sites: int | None
    champion: str | None
    lineage: Lineage


@dataclass(frozen=True)
class StatedItem:
    """An item of TRIPOD+AI and where it stands."""

    number: str
    part: str
    asks: str
    status: ItemStatus
    section: str
    statement: str | None


@dataclass(frozen=True)
class Card:
    """The card.

    Attributes:
        study: The study.
        evidence: What the run's stages wrote.
        features: Predictors.
        outcomes: Tasks.
        gaps: Largest gaps between groups.
        items: Items of TRIPOD+AI.
        limits: What the numbers can't say.
    """

    study: Study
    evidence: Evidence
    features: tuple[Feature, ...]
    outcomes: tuple[Outcome, ...]
    gaps: tuple[Gap, ...]
    items: tuple[StatedItem, ...]
    limits: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """What `card.json` holds; metrics are those of `metrics.json`, without curves."""
        evidence = self.evidence
        return {
            "study": self.study.study,
            "title": self.study.title,
            "intended_use": {
                "purpose": self.study.card.purpose,
                "not_for": self.study.card.not_for,
                "population": self.study.card.population,
            },
            "landmark_day": self.study.landmark_day,
            "data": {
                "datasets": _dumped(evidence.counts.datasets),
                "subjects": dict(evidence.counts.subjects),
                "labels": {task: _dumped(of) for task, of in evidence.counts.tasks.items()},
                "sites": evidence.sites,
            },
            "features": [asdict(feature) for feature in self.features],
            "outcomes": [asdict(outcome) for outcome in self.outcomes],
            "training": dict(evidence.training),
            "performance": [record.model_dump() for record in evidence.metrics.records],
            "suppressed": [group.model_dump() for group in evidence.metrics.suppressed],
            "smallest_group": evidence.metrics.smallest_group,
            "gaps": [_gap_json(gap) for gap in self.gaps],
            "gate": [finding.model_dump() for finding in evidence.findings.root],
            "champion": evidence.champion,
            "decision": evidence.verdict.model_dump(),
            "lineage": asdict(evidence.lineage),
            "limits": list(self.limits),
            "tripod_ai": [asdict(item) for item in self.items],
        }


def make_card(study: Study, evidence: Evidence) -> Card:
    """Makes a card of a run.

    Args:
        study: The study.
        evidence: What the run's stages wrote.
    """
    return Card(
        study=study,
        evidence=evidence,
        features=_features(study, evidence.missing),
        outcomes=tuple(
            Outcome(name, task.title, task.kind, task.horizon, tuple(task.decision_thresholds))
            for name, task in study.tasks.items()
        ),
        gaps=tuple(gaps(evidence.metrics.records)),
        items=_items(study),
        limits=(*study.card.limits, *_limits(evidence)),
    )


def _features(study: Study, missing: Mapping[str, int | None]) -> tuple[Feature, ...]:
    found = [
        Feature(feature.name, feature.kind, _source(feature), missing.get(feature.name))
        for feature in study.resolved_features
    ]
    return tuple(found)


def _source(feature: Any) -> str:
    parts = [feature.dataset]
    if feature.column:
        parts.append(feature.column)
    if feature.parameter:
        parts.append(f"rows of {feature.parameter}")
    text = ", ".join(parts)
    return f"{feature.aggregate} of {text}" if feature.aggregate else text


def _items(study: Study) -> tuple[StatedItem, ...]:
    stated = {**_from_card(study), **study.card.statements}
    return tuple(
        StatedItem(
            item.number,
            item.part,
            item.asks,
            _status(item.filled_by, item.number in stated),
            item.section,
            stated.get(item.number),
        )
        for item in ITEMS.values()
    )


def _from_card(study: Study) -> dict[str, str]:
    """Items that the card's own keys answer."""
    card = study.card
    answers = {"3b": card.purpose, "6b": card.population, "26": " ".join(card.limits)}
    return {number: text for number, text in answers.items() if text}


def _status(filled_by: FilledBy, stated: bool) -> ItemStatus:
    if filled_by == "run":
        return "filled by the run"
    if filled_by == "person":
        return "stated by a person" if stated else "needs a person"
    if stated:
        return "filled by the run and a person"
    return "filled in part by the run, needs a person"


def _limits(evidence: Evidence) -> list[str]:
    metrics = evidence.metrics
    limits = [
        "Everything was measured in subjects of the same trial as the training subjects: how the "
        "model does at other sites, in other years or outside a trial was not measured.",
        "Intervals of 95 % hold for each number by itself; with as many numbers as here, some "
        "intervals miss by chance.",
    ]
    if metrics.suppressed:
        limits.append(
            f"Groups of fewer than {metrics.smallest_group} subjects, and groups that would give "
            "them away, are not shown: for them nothing is known."
        )
    few = _few_events(metrics.records)
    if few:
        limits.append(
            f"Fewer than 100 test subjects had the outcome of {', '.join(few)}: performance there "
            "is uncertain (Vergouwe et al., J Clin Epidemiol 2005;58:475-83 ask for 100)."
        )
    if evidence.champion is None:
        limits.append("There was no comparable champion: nothing says that the model is better.")
    return limits


def _few_events(records: Sequence[MetricRecord]) -> list[str]:
    events = {record.task: record.positives for record in records if not record.slice}
    return [task for task, positives in events.items() if positives < 100]


def _gap_json(gap: Gap) -> dict[str, Any]:
    return {
        "task": gap.task,
        "slicing": list(gap.slicing),
        "metric": gap.metric,
        "decision_threshold": gap.decision_threshold,
        "lowest": gap.lowest.slice,
        "highest": gap.highest.slice,
        "value": gap.value,
        "lower": gap.lower,
        "upper": gap.upper,
        "groups": gap.groups,
    }


def _dumped(parts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part.model_dump() for name, part in parts.items()}
