"""The tables of the store.

A store holds the results of runs: nothing in it concerns a single subject, and groups that are
too small are only named. Rows are added, never changed: each table's key identifies its rows'
content, so that a repeated export adds nothing. Where a column is part of a key and does not apply,
it is empty (`""`) or, for a decision threshold, 0.

Times are in UTC. SQLite keeps them without a zone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.base import Base as Base
from pipeline.store.base import UtcTime as UtcTime
from pipeline.store.curve_models import CalibrationBin as CalibrationBin
from pipeline.store.curve_models import Referral as Referral
from pipeline.store.monitoring_models import MonitoredAlarm as MonitoredAlarm
from pipeline.store.monitoring_models import MonitoredDrift as MonitoredDrift
from pipeline.store.monitoring_models import MonitoredValue as MonitoredValue
from pipeline.store.monitoring_models import Monitoring as Monitoring
from pipeline.store.registry_models import ModelStage as ModelStage
from pipeline.store.registry_models import RegistryEntry as RegistryEntry
from pipeline.store.title_models import Title as Title
from pipeline.store.validation_models import Validation as Validation
from pipeline.store.validation_models import ValidationEstimate as ValidationEstimate


class Run(Base):
    """A run: its inputs.

    Attributes:
        run: Id of the run.
        study: Name of the study.
        kind: `training`, `validation` of a registered model, or `monitoring` of its predictions:
            boards and alerts about models and runs of a study leave the latter two out.
        started: When it was started.
        runner: `local` or `kubeflow`.
        started_by: User or system that started it.
        code_version: Version of the project.
        study_digest: Digest of the study file.
        fingerprint: Fingerprint of the data and the study file's part that is read.
        data_modified: Modification time of the newest of the data's files; null where unknown.
        smallest_group: Fewest subjects that a group is shown for.
        parameters: Seed, steps and the like.
    """

    __tablename__ = "runs"
    __table_args__ = (Index("runs_of_study", "study", "started"),)

    run: Mapped[str] = mapped_column(primary_key=True)
    study: Mapped[str]
    started: Mapped[datetime]
    runner: Mapped[str]
    started_by: Mapped[str]
    code_version: Mapped[str]
    study_digest: Mapped[str]
    fingerprint: Mapped[str]
    data_modified: Mapped[datetime | None]
    smallest_group: Mapped[int]
    parameters: Mapped[dict[str, Any]]
    kind: Mapped[str]


class Outcome(Base):
    """The outcome of a run: its status is that of the newest row, `running` if it has none.

    A resumed run has several.

    Attributes:
        run: Id of the run.
        status: `done`, `failed`, `interrupted` (Ctrl-C) or `killed` (any other end from outside).
        failed_stage: The stage that failed or was ended, or empty.
        ended: When it ended.
        reason: Why it failed.
    """

    __tablename__ = "outcomes"

    run: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(primary_key=True)
    failed_stage: Mapped[str] = mapped_column(primary_key=True)
    ended: Mapped[datetime] = mapped_column(primary_key=True)
    reason: Mapped[str | None]


class Stage(Base):
    """A stage of a run.

    Attributes:
        run: Id of the run.
        stage: The stage's node in the graph.
        started: When it started.
        status: `done`, `cached`, `failed`, `interrupted` or `killed`.
        seconds: Wall time.
        peak_memory_mb: Largest resident memory of the process with its children, in MiB.
        error: Why it failed.
    """

    __tablename__ = "stages"

    run: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    started: Mapped[datetime] = mapped_column(primary_key=True)
    status: Mapped[str]
    seconds: Mapped[float]
    peak_memory_mb: Mapped[float]
    error: Mapped[str | None]


class StageRows(Base):
    """Rows or subjects that a stage counted.

    Numbers of known labels are in `metrics`, where small groups are suppressed.

    Attributes:
        run: Id of the run.
        stage: The stage's node in the graph.
        dataset: Dataset of the study, for rows; otherwise empty.
        split: Split of the subjects, or empty.
        rows_in: Rows read.
        used: Rows used.
        excluded: Rows excluded by the study file.
        rejected: Rejected rows.
        subjects: Subjects.
    """

    __tablename__ = "stage_rows"

    run: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    dataset: Mapped[str] = mapped_column(primary_key=True)
    split: Mapped[str] = mapped_column(primary_key=True)
    rows_in: Mapped[int | None]
    used: Mapped[int | None]
    excluded: Mapped[int | None]
    rejected: Mapped[int | None]
    subjects: Mapped[int | None]


class Model(Base):
    """The model that a run trained, and its verdict.

    Attributes:
        run: Id of the run.
        study: Name of the study.
        blessed: Whether the Evaluator blessed it.
        judged: Whether it was compared with any threshold.
        comparisons: Number of comparisons.
        registered: Whether it became the champion.
        not_registered: Why not.
        champion: Whether a champion was scored beside it.
        scheme: How it was evaluated: `split`, `cross_fit` or `internal_external`.
        folds: Folds, or groups of `internal_external`; 0 under `split`.
        repeats: Repeats; 0 under `split`.
    """

    __tablename__ = "models"
    __table_args__ = (Index("models_of_study", "study", "blessed"),)

    run: Mapped[str] = mapped_column(primary_key=True)
    study: Mapped[str]
    blessed: Mapped[bool]
    judged: Mapped[bool]
    comparisons: Mapped[int]
    registered: Mapped[bool]
    not_registered: Mapped[str | None]
    champion: Mapped[bool]
    scheme: Mapped[str]
    folds: Mapped[int]
    repeats: Mapped[int]


class TaskVerdict(Base):
    """The verdict on a task of a run's model.

    Attributes:
        run: Id of the run.
        task: The task.
        verdict: `blessed`, `refused` or `not_judged`; a blessed model serves its blessed tasks.
        reason: Why it is refused or not judged; empty where it is blessed.
    """

    __tablename__ = "task_verdicts"

    run: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    verdict: Mapped[str]
    reason: Mapped[str]


class BlessingReason(Base):
    """A threshold that a model failed."""

    __tablename__ = "blessing_reasons"

    run: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    task: Mapped[str]
    slicing: Mapped[str]
    slice: Mapped[str]
    metric: Mapped[str]
    decision_threshold: Mapped[float]
    value: Mapped[float | None]
    message: Mapped[str]


class Comparison(Base):
    """A limit of a threshold, compared with a metric of a group.

    The Evaluator's judge wrote it; boards and alerts select from here and judge nothing. Runs of
    0.1.0 have thresholds but no comparisons: theirs are not recorded.

    Attributes:
        run: Id of the run.
        number: Its place in the verdict.
        origin: Whether the study file demands it (`study`) or it is a `default`.
        model: Whose metric was judged: `challenger`, `champion` or `difference`; the blessing
            does not depend on comparisons of the `champion`.
        versus: Reference model that a difference is to; empty for the champion.
        task: The task.
        slicing: The slicing; empty for all subjects.
        slice: The slice; empty for all subjects.
        metric: Name of the metric.
        decision_threshold: 0 for metrics that need none.
        side: `at_least` or `at_most`.
        limit: The limit.
        holds: `point`, `bound` or `overlap`: which number must pass.
        value: The number that was judged; null where there is none or the group is suppressed.
        outcome: `passes`, `fails` or `not_judged`.
        reason: Why, see `pipeline.results.outcomes`.
        message: For people; empty where it passes.
    """

    __tablename__ = "comparisons"

    run: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    origin: Mapped[str]
    model: Mapped[str]
    versus: Mapped[str]
    task: Mapped[str]
    slicing: Mapped[str]
    slice: Mapped[str]
    metric: Mapped[str]
    decision_threshold: Mapped[float]
    side: Mapped[str]
    limit: Mapped[float]
    holds: Mapped[str]
    value: Mapped[float | None]
    outcome: Mapped[str]
    reason: Mapped[str]
    message: Mapped[str]


class Threshold(Base):
    """A threshold that a study sets, or a default.

    Attributes:
        run: Id of the run.
        origin: `study` or `default`.
        task: The task.
        metric: The metric.
        scope: `overall` or `every_slice`.
        versus: `champion` or the name of a reference model where a difference is meant, otherwise
            empty.
        holds: `point`; `bound` where the interval's end on the far side must pass too; `overlap`
            where one end must pass.
        decision_threshold: At which probability; 0 for all of the task's, or none.
        at_least: Lower limit.
        at_most: Upper limit.
    """

    __tablename__ = "thresholds"

    run: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    metric: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    versus: Mapped[str] = mapped_column(primary_key=True)
    holds: Mapped[str] = mapped_column(primary_key=True)
    decision_threshold: Mapped[float] = mapped_column(primary_key=True)
    origin: Mapped[str]
    at_least: Mapped[float | None]
    at_most: Mapped[float | None]


class Metric(Base):
    """A metric of a model for a task and group.

    Attributes:
        run: Id of the run.
        task: The task.
        slicing: The slicing, such as `sex` or `sex, age`; empty for all subjects.
        slice: The slice, such as `F` or `F, 65+`; empty for all subjects.
        metric: Name of the metric.
        decision_threshold: 0 for metrics that need none.
        model: `challenger`, `champion`, `difference` or the name of a reference model.
        versus: Reference model that a difference is to; empty for the champion.
        value: Null where it is undefined.
        lower: Lower end of its 95 % interval.
        upper: Upper end.
        subjects: Subjects of the group whose label is known.
        positives: Those with the outcome.
    """

    __tablename__ = "metrics"
    __table_args__ = (Index("metrics_over_runs", "task", "metric", "slicing", "model", "run"),)

    run: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    slicing: Mapped[str] = mapped_column(primary_key=True)
    slice: Mapped[str] = mapped_column(primary_key=True)
    metric: Mapped[str] = mapped_column(primary_key=True)
    decision_threshold: Mapped[float] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    versus: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[float | None]
    lower: Mapped[float | None]
    upper: Mapped[float | None]
    subjects: Mapped[int]
    positives: Mapped[int]


class BetweenGroups(Base):
    """A metric over the groups of `internal_external`.

    Attributes:
        run: Id of the run.
        task: The task.
        metric: Name of the metric.
        groups: Number of groups that are summarized.
        left_out: Number of the other groups.
        lowest: Smallest value of a group.
        highest: Largest value of a group.
        mean: Mean over groups; null for fewer than two groups.
        lower: Lower end of its 95 % interval.
        upper: Upper end.
        new_lower: Lower end of the 95 % prediction interval of a new group; null for fewer than
            three groups.
        new_upper: Upper end.
    """

    __tablename__ = "between_groups"

    run: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    metric: Mapped[str] = mapped_column(primary_key=True)
    groups: Mapped[int]
    left_out: Mapped[int]
    lowest: Mapped[float]
    highest: Mapped[float]
    mean: Mapped[float | None]
    lower: Mapped[float | None]
    upper: Mapped[float | None]
    new_lower: Mapped[float | None]
    new_upper: Mapped[float | None]


class PredictedRisk(Base):
    """The mean prediction of an arm beside its risk by the horizon, where follow-up ends before it.

    The Evaluator decided whether they agree. A number that is not shown is null.

    Attributes:
        run: Id of the run.
        task: The task.
        arm: The arm, or `all subjects`; empty in a study without arms.
        risk: Risk by the horizon: Kaplan-Meier's, or Aalen and Johansen's with competing events.
        risk_lower: Lower end of its 95 % interval.
        risk_upper: Upper end.
        mean_prediction: Mean prediction of the evaluated subjects.
        mean_lower: Lower end of its 95 % interval.
        mean_upper: Upper end.
        outcome: `passes`, `fails` or `not_judged`.
        reason: Why, see `pipeline.results.predicted_risks`.
    """

    __tablename__ = "predicted_risks"

    run: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    arm: Mapped[str] = mapped_column(primary_key=True)
    risk: Mapped[float | None]
    risk_lower: Mapped[float | None]
    risk_upper: Mapped[float | None]
    mean_prediction: Mapped[float | None]
    mean_lower: Mapped[float | None]
    mean_upper: Mapped[float | None]
    outcome: Mapped[str]
    reason: Mapped[str]


class SuppressedGroup(Base):
    """A group that is not shown; its number of subjects is not recorded."""

    __tablename__ = "suppressed_groups"

    run: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    slicing: Mapped[str] = mapped_column(primary_key=True)
    slice: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]


class GateFinding(Base):
    """What a rule of the data gate measured; `drift` among them.

    Attributes:
        run: Id of the run.
        number: Its place among the run's findings.
        rule: The rule.
        severity: `ok`, `warn` or `stop`.
        feature: The feature concerned, if one is, and likewise task, split and dataset.
        title: The feature's title, if the study file gave it one.
        value: What was measured.
        limit: The limit that it is compared with.
        message: For people.
    """

    __tablename__ = "gate_findings"
    __table_args__ = (Index("gate_findings_of_feature", "rule", "feature", "run"),)

    run: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[str]
    severity: Mapped[str]
    feature: Mapped[str | None]
    title: Mapped[str | None]
    task: Mapped[str | None]
    split: Mapped[str | None]
    dataset: Mapped[str | None]
    value: Mapped[float | None]
    limit: Mapped[float | None]
    message: Mapped[str]


class TrialProgress(Base):
    """A number of TrialSummary.

    Attributes:
        run: Id of the run.
        number: Its place in the summary.
        section: `enrolment`, `disposition`, `exposure`, `adverse_events`, `endpoint` or
            `completeness`.
        arm: The arm, and likewise what follows, where it applies.
        site: The site.
        period: A month, `YYYY-MM`.
        category: System organ class, reason of disposition, dataset.
        severity: Severity of an adverse event.
        visit: The visit.
        parameter: The measured parameter.
        measure: Kind of number.
        value: The number.
        lower: Lower end of its 95 % interval.
        upper: Upper end.
        subjects: Subjects behind it.
    """

    __tablename__ = "trial_progress"
    __table_args__ = (Index("trial_progress_sections", "run", "section", "measure"),)

    run: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    section: Mapped[str]
    arm: Mapped[str | None]
    site: Mapped[str | None]
    period: Mapped[str | None]
    category: Mapped[str | None]
    severity: Mapped[str | None]
    visit: Mapped[str | None]
    parameter: Mapped[str | None]
    measure: Mapped[str]
    value: Mapped[float | None]
    lower: Mapped[float | None]
    upper: Mapped[float | None]
    subjects: Mapped[int | None]
