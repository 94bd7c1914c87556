"""Documents of a run's stages (`_DOCUMENTS` says which); a later release may add keys."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, model_validator

from pipeline.documents import Count, Document, parse_document
from pipeline.errors import UserError
from pipeline.estimates import Estimate
from pipeline.names import CHALLENGER
from pipeline.results.analysis import Analysis
from pipeline.results.between_groups import BetweenGroups
from pipeline.results.clinical_curves import DecisionPoint, SmoothPoint
from pipeline.results.counts import Counts
from pipeline.results.curve_points import CalibrationBin, Confusion, RocPoint, WeightedOutcomes
from pipeline.results.evaluation_plan import PLAN_FILE, SPLIT_PLAN, EvaluationPlan
from pipeline.results.findings import Findings
from pipeline.results.judged import Judged, Said
from pipeline.results.looks import LookHistory
from pipeline.results.monitoring import Monitoring
from pipeline.results.of_group import OVERALL as OVERALL
from pipeline.results.of_group import Group as Group
from pipeline.results.of_group import MetricName as MetricName
from pipeline.results.of_group import ModelRole as ModelRole
from pipeline.results.of_group import OfGroup as OfGroup
from pipeline.results.outcomes import ComparisonReason, Origin, Outcome
from pipeline.results.predicted_risks import PredictedRisk
from pipeline.results.recorded_outcomes import RecordedOutcomes
from pipeline.results.reference_models import ReferenceFit
from pipeline.results.referral import ReferralPoint
from pipeline.results.registration import Registration
from pipeline.results.scoring import Scoring
from pipeline.results.stability import Stability
from pipeline.results.task_verdicts import DROPS, TaskDecision, TaskVerdict
from pipeline.results.training import Training
from pipeline.results.trial_progress import TrialSummaryDocument
from pipeline.results.tuning import Tuning
from pipeline.results.validation import ExternalValidation
from pipeline.storage import read
from pipeline.study.renamed import rename_threshold
from pipeline.study.sections import Side, Threshold
from pipeline.titles import Titles

_Content = TypeVar("_Content", bound=BaseModel)


class MetricRecord(OfGroup):
    """A metric of a model for a task and group.

    Attributes:
        metric: Its name.
        decision_threshold: Null for metrics that need none.
        model: `challenger`, `champion` or the name of a reference model; `difference` is challenger
            minus champion or, where `versus` names one, minus a reference model.
        versus: Reference model that a difference is to; null for the champion.
        value: Null where the metric is undefined.
        lower: Lower bound of its 95 % interval; null if it has none.
        upper: Upper bound.
        subjects: Subjects whose label is known. Of a group all subjects, and positives are rounded
            and shares at a resolution, where the task has unknown labels
            (`pipeline.results.resolution`).
        positives: Those of them with the outcome.
    """

    metric: MetricName
    decision_threshold: float | None
    model: ModelRole
    versus: str | None = None
    value: float | None
    lower: float | None
    upper: float | None
    subjects: Count
    positives: Count

    @property
    def estimate(self) -> Estimate:
        """The value with its interval."""
        return Estimate(self.value, self.lower, self.upper)

    @property
    def is_headline(self) -> bool:
        """Whether it is a metric of the challenger on all subjects."""
        return not self.slice and self.model == "challenger" and self.decision_threshold is None


class SuppressedGroup(OfGroup):
    """A group that is not shown: empty or too small, or a small one would follow from it.

    Values that few subjects have are named together (`other (suppressed)`), and empty groups are
    listed too, so that the list does not say in which groups few subjects are.

    Attributes:
        reason: `too_small`, or `complementary`: a small group would follow from it by subtraction.
        subjects: Upper limit of its size, as `<20`, where it is one group that is too small;
            otherwise null.
    """

    reason: str
    subjects: str | None = None


class Metrics(Document):
    """`metrics.json`.

    Attributes:
        smallest_group: Fewest subjects with a known label of a group that is shown.
        records: One for each metric, group and model that may be shown.
        suppressed: All other groups that can be made of the values that are named.
        evaluation: How the model was evaluated; `split` in documents of 0.1.0.
        between_groups: Under `internal_external` the summary over the groups.
        reference_models: What each reference model was fitted on, by name.
        tuning: What the procedures chose where hyperparameters were tuned out of fold.
    """

    smallest_group: Count
    records: tuple[MetricRecord, ...]
    suppressed: tuple[SuppressedGroup, ...]
    evaluation: EvaluationPlan = SPLIT_PLAN
    between_groups: tuple[BetweenGroups, ...] = ()
    reference_models: dict[str, ReferenceFit] = {}
    tuning: Tuning | None = None

    @property
    def tasks(self) -> tuple[str, ...]:
        """All tasks in their order."""
        return tuple(dict.fromkeys(record.task for record in self.records))

    @property
    def has_champion(self) -> bool:
        """Whether the current champion was scored on the same subjects."""
        return any(record.model == "champion" for record in self.records)


class Comparison(Judged):
    """A limit of a threshold, compared with a metric of a group.

    Attributes:
        reason: Reason of the outcome.
        threshold: Place among the study file's thresholds and, after them, the defaults; from 0.
        model: The model whose metric was judged; comparisons of the `champion` do not decide.
        metric: The metric.
        side: On which side of the limit the metric passes.
        limit: The limit.
        value: The judged number; null if there is none or the group is suppressed.
        outcome: `passes`, `fails` or `not_judged`.
    """

    reason: ComparisonReason
    threshold: Count
    metric: MetricName
    side: Side
    limit: float
    value: float | None
    outcome: Outcome

    @property
    def decides(self) -> bool:
        """Whether the blessing depends on it."""
        return self.model != "champion"


class Refusal(Judged):
    """A comparison that the model failed.

    Attributes:
        metric: The metric.
        model: `difference` if it was compared with the champion.
        value: The metric's value.
        threshold: The threshold.
    """

    metric: MetricName
    value: float | None
    threshold: Annotated[Threshold, BeforeValidator(rename_threshold)]


class NotJudged(OfGroup):
    """A group with too few subjects for the thresholds that hold in every slice.

    Attributes:
        subjects: Upper limit of its size, as `<20`, in documents of 0.1.0.
    """

    subjects: str | None = None


class Verdict(Document):
    """`verdict.json`.

    Attributes:
        blessed: Whether the model is blessed: at least one task is, and it may replace the
            champion.
        judged: Whether it was compared with any threshold.
        compared: Number of comparisons that decide on the blessing.
        comparisons: All comparisons; null if they are not recorded, as in documents of 0.1.0, which
            hold their number under this key.
        defaults: Default thresholds that were applied; each names its tasks.
        tasks: The verdict on each task; empty in earlier documents, see `of_task`.
        dropped_tasks: Tasks that the champion serves and the model would not: because of them a
            model with blessed tasks is not blessed.
        reasons: Comparisons that failed.
        not_judged: Groups that are too small to be judged.
        notes: Notes for the reader.
        looks: What had been tried on these labels before; null if it is not recorded.
        risks: Mean predictions beside the risks by the horizon, of tasks whose follow-up may end
            before it.
    """

    blessed: bool
    judged: bool
    compared: Count
    comparisons: tuple[Comparison, ...] | None
    defaults: tuple[Threshold, ...] = ()
    tasks: dict[str, TaskVerdict] = {}
    dropped_tasks: tuple[str, ...] = ()
    reasons: tuple[Refusal, ...]
    not_judged: tuple[NotJudged, ...]
    notes: tuple[Said, ...]
    looks: LookHistory | None = None
    risks: tuple[PredictedRisk, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _accept_number(cls, content: object) -> object:
        """Accepts a document of 0.1.0, where `comparisons` is a number."""
        if isinstance(content, Mapping) and isinstance(content.get("comparisons"), int):
            return {**content, "compared": content["comparisons"], "comparisons": None}
        return content

    @property
    def decision(self) -> TaskDecision:
        """The verdict on the model; not judged where no task is blessed and none is refused."""
        if self.blessed:
            return "blessed"
        judged = (found.verdict == "refused" for found in self.tasks.values())
        refused = any(judged) or bool(self.dropped_tasks) or not self.tasks
        return "refused" if refused else "not_judged"

    @property
    def is_held_back(self) -> bool:
        """Whether the numbers that it rests on are not shown (`pipeline.results.release`)."""
        return any(note.reason == "held_back" for note in self.notes)

    def reason_texts(self, titles: Titles) -> tuple[str, ...]:
        """Why the model or a task is refused or not judged, each once.

        Args:
            titles: Titles of the study's tasks and slicings.
        """
        lacking = (reason for found in self.tasks.values() for reason in found.reasons)
        texts = (reason.text(titles) for reason in (*self.reasons, *lacking))
        return tuple(dict.fromkeys((*self.drop_texts(titles), *texts)))

    def drop_texts(self, titles: Titles) -> tuple[str, ...]:
        """Why a model with blessed tasks does not replace the champion; empty if it may."""
        if not self.dropped_tasks:
            return ()
        return (DROPS.format(tasks=", ".join(map(titles.task, self.dropped_tasks))),)

    def note_texts(self, titles: Titles) -> tuple[str, ...]:
        """Notes for the reader, each once.

        Args:
            titles: Titles of the study's tasks.
        """
        told = [note.text(titles) for note in self.notes]
        if not self._has_sentences:
            looks = [self.looks.sentence] if self.looks else []
            told += [*looks, *(item.text(titles) for item in self._refuted_risks)]
        return tuple(dict.fromkeys(told))

    def said_of(self, task: str, titles: Titles) -> list[str]:
        """The notes on one task as sentences for its own section.

        A finished sentence of an earlier version is shown as it is, with the task's name.
        """
        if self._has_sentences:
            return [note.message for note in self.notes if note.message.startswith(f"{task}: ")]
        risks = (item.text_without_task for item in self._refuted_risks if item.task == task)
        notes = (note.text_without_task(titles) for note in self.notes if note.task == task)
        return [text[:1].upper() + text[1:] for text in (*notes, *risks)]

    @property
    def _has_sentences(self) -> bool:
        """Whether an earlier version wrote the notes, with the sentences on looks and risks."""
        return any(note.message for note in self.notes)

    @property
    def _refuted_risks(self) -> list[PredictedRisk]:
        return [item for item in self.risks if item.outcome == "fails"]

    def of_task(self, task: str) -> TaskVerdict:
        """The verdict on a task.

        A document without verdicts on tasks has one verdict of the whole run: it refuses each task
        for which a comparison failed.
        """
        if task in self.tasks:
            return self.tasks[task]
        reasons = tuple(reason for reason in self.reasons if reason.task == task)
        return TaskVerdict(verdict="refused" if reasons else "blessed", reasons=reasons)

    def applied(self, demanded: Iterable[Threshold]) -> list[tuple[Origin, Threshold]]:
        """All thresholds that were applied, in the order of their numbers in comparisons.

        Args:
            demanded: The thresholds of the study file.
        """
        return [
            *(("study", threshold) for threshold in demanded),
            *(("default", threshold) for threshold in self.defaults),
        ]

    def outcomes(self, threshold: int) -> list[Outcome] | None:
        """Outcomes of a threshold's comparisons that decide on the blessing.

        Args:
            threshold: Its place, see `Comparison`.

        Returns:
            One outcome for each comparison; None if comparisons are not recorded.
        """
        if self.comparisons is None:
            return None
        return [i.outcome for i in self.comparisons if i.threshold == threshold and i.decides]

    @property
    def failed(self) -> int:
        """Number of deciding comparisons that failed."""
        if self.comparisons is None:
            return len(self.reasons)
        return sum(item.decides and item.outcome == "fails" for item in self.comparisons)


class GroupCurves(OfGroup):
    """Curves of a model for a task and group; lists are empty if nothing may be shown.

    Attributes:
        model: The model.
        subjects: Number of subjects, as in `metrics.json`.
        positives: Those of them with the outcome, likewise.
        calibration: Bins of the calibration curve, in rising order of predictions.
        roc: Points of the ROC curve.
        confusion: One for each decision threshold.
        smooth: Points of the smoothed calibration curve; empty in documents of 0.1.0.
        decision: Points of the decision curve, in rising order of thresholds; likewise.
        stability: How predictions vary between training samples; null without repeats.
        weighted: Outcomes where subjects are weighted, or a group's numbers give no rate of its
            known labels; null where each counts once.
        referral: What leaving the least certain subjects to people gains; empty without intervals.
    """

    model: ModelRole
    subjects: Count
    positives: Count
    calibration: tuple[CalibrationBin, ...]
    roc: tuple[RocPoint, ...]
    confusion: tuple[Confusion, ...]
    smooth: tuple[SmoothPoint, ...] = ()
    decision: tuple[DecisionPoint, ...] = ()
    stability: Stability | None = None
    weighted: WeightedOutcomes | None = None
    referral: tuple[ReferralPoint, ...] = ()

    @property
    def observed_rate(self) -> float:
        """Share of subjects with the outcome, weighted where subjects are."""
        if self.weighted:
            return self.weighted.observed_rate
        return self.positives / self.subjects


class Curves(Document):
    """`curves.json`.

    Attributes:
        smallest_group: Fewest subjects with a known label of a group that is shown.
        curves: One for each task, group and model that may be shown.
    """

    smallest_group: Count | None = None
    curves: tuple[GroupCurves, ...]

    def of_all(self, task: str, model: ModelRole) -> GroupCurves | None:
        """Curves of all subjects."""
        wanted = (task, OVERALL, model)
        found = (item for item in self.curves if (item.task, item.group, item.model) == wanted)
        return next(found, None)

    def referral(self, task: str) -> tuple[ReferralPoint, ...]:
        """What leaving the least certain of all subjects to people gains.

        Page, board and notebook show these points.
        """
        of_all = self.of_all(task, CHALLENGER)
        return of_all.referral if of_all else ()


_DOCUMENTS: dict[type[BaseModel], tuple[str, str]] = {
    Metrics: ("metrics.json", "TrialEvaluator"),
    Verdict: ("verdict.json", "TrialEvaluator"),
    Curves: ("curves.json", "TrialEvaluator"),
    Findings: ("findings.json", "DataGate"),
    Counts: ("counts.json", "TrialExampleGen"),
    EvaluationPlan: (PLAN_FILE, "TrialExampleGen"),
    Training: ("training.json", "Trainer"),
    Registration: ("registration.json", "ModelRegistrar"),
    Analysis: ("analysis.json", "TrialAnalysis"),
    TrialSummaryDocument: ("summary.json", "TrialSummary"),
    ExternalValidation: ("validation.json", "ExternalValidation"),
    Scoring: ("scoring.json", "BatchScoring"),
    RecordedOutcomes: ("outcomes.json", "OutcomeLog"),
    Monitoring: ("monitoring.json", "Monitor"),
}


def documents() -> list[tuple[str, type[BaseModel]]]:
    """The file name of each document with its class."""
    return [(name, content) for content, (name, _) in _DOCUMENTS.items()]


def read_result(content: type[_Content], folder: str) -> _Content:
    """Reads a document of a stage.

    Args:
        content: Class of the document, for example `Metrics`.
        folder: Folder of the artifact that holds it, a local path or a URI.

    Raises:
        UserError: The file is missing or invalid.

    Examples:
        >>> import json, pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     document = {"registered": False, "reason": "not blessed"}
        ...     file = pathlib.Path(folder, "registration.json")
        ...     _ = file.write_text(json.dumps(document), encoding="utf-8")
        ...     read_result(Registration, folder).reason
        'not blessed'
    """
    name, stage = _DOCUMENTS[content]
    path = f"{folder}/{name}"
    text = read(path)
    if text is None:
        raise UserError(f"{path}: this file of {stage} is missing. Rerun {stage}.")
    return parse_document(content, text, path, f"what {stage} writes", f"Run {stage} again.")


def headline_metrics(records: Iterable[MetricRecord]) -> dict[str, float]:
    """Metrics of the challenger on all subjects evaluated, by `task/metric`.

    Metrics at a decision threshold and undefined ones are excluded.
    """
    return {
        f"{record.task}/{record.metric}": record.value
        for record in records
        if record.is_headline and record.value is not None and math.isfinite(record.value)
    }


def find_records(
    records: Sequence[MetricRecord],
    task: str,
    metric: str,
    model: ModelRole = "challenger",
    decision_threshold: float | None = None,
    versus: str | None = None,
) -> list[MetricRecord]:
    """Records of a metric in all groups, in the order of the document.

    A difference is the one to the champion, or to the reference model that `versus` names.
    """
    return [
        record
        for record in records
        if (record.task, record.metric, record.model, record.decision_threshold, record.versus)
        == (task, metric, model, decision_threshold, versus)
    ]


def find_overall(
    records: Sequence[MetricRecord],
    task: str,
    metric: str,
    model: ModelRole = "challenger",
    versus: str | None = None,
) -> MetricRecord | None:
    """Record of a metric in all subjects; None where it is suppressed or there is none."""
    found = find_records(records, task, metric, model, versus=versus)
    return next((record for record in found if record.group == OVERALL), None)
