"""The newest verdict of a study in the store, with the difference to the champion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from pipeline.errors import UserError
from pipeline.estimates import Estimate
from pipeline.store.engine import store_engine
from pipeline.store.migrate import check_current
from pipeline.store.models import BlessingReason, Metric, Model, Outcome, Run, TaskVerdict
from pipeline.store.title_models import Title

PRIMARY_METRIC = "auc"


@dataclass(frozen=True)
class StoredVerdict:
    """The verdict on the model of a run.

    Attributes:
        run: The run's id.
        blessed: Whether the model was blessed.
        registered: Whether it became the champion.
        tasks: Verdict by task.
        titles: Titles of the tasks that have one, by name; they differ.
        reasons: Why tasks were refused or not judged.
        to_champion: Difference of the AUC of all subjects to the champion's by task; empty where
            none was compared.
    """

    run: str
    blessed: bool
    registered: bool
    tasks: Mapping[str, str]
    titles: Mapping[str, str]
    reasons: tuple[str, ...]
    to_champion: Mapping[str, Estimate]


def newest_verdict(address: str, study: str, run: str | None = None) -> StoredVerdict:
    """Finds the verdict of a study's newest evaluated run.

    Args:
        address: The store.
        study: Name of the study.
        run: Id of a run, in place of the newest.

    Raises:
        UserError: The store can't be read, or has no such run.
    """
    with store_engine(address) as engine:
        check_current(engine)
        with engine.connect() as connection:
            newest = (
                select(Model.run, Model.blessed, Model.registered)
                .join(Run, Run.run == Model.run)
                .where(Model.study == study)
                .order_by(Run.started.desc())
                .limit(1)
            )
            found = connection.execute(newest.where(Model.run == run) if run else newest).first()
            if found is None:
                raise _not_evaluated(connection, study, run)
            return _read(connection, *found)


def _not_evaluated(connection: Connection, study: str, run: str | None) -> UserError:
    started = select(Run.run).where(Run.study == study, Run.run == run)
    if run and connection.execute(started).first():
        ends = select(Outcome.status, Outcome.reason).where(Outcome.run == run)
        end = connection.execute(ends.order_by(Outcome.ended.desc()).limit(1)).first()
        status, reason = end or ("running", None)
        return UserError(
            f"The run {run} of the study {study} has no verdict: it is recorded as {status}. "
            f"{reason or 'It evaluated no model.'}"
        )
    wanted = f"evaluated run {run}" if run else "evaluated run"
    return UserError(
        f"The store has no {wanted} of the study {study}: check the study's name, and "
        "that the run has ended and exports to this store (STORE=, --store)."
    )


def _read(connection: Connection, run: str, blessed: bool, registered: bool) -> StoredVerdict:
    verdicts = connection.execute(
        select(TaskVerdict.task, TaskVerdict.verdict, TaskVerdict.reason)
        .where(TaskVerdict.run == run)
        .order_by(TaskVerdict.task)
    ).all()
    reasons = connection.execute(
        select(BlessingReason.message)
        .where(BlessingReason.run == run)
        .order_by(BlessingReason.number)
    )
    differences = connection.execute(
        select(Metric.task, Metric.value, Metric.lower, Metric.upper)
        .where(
            Metric.run == run,
            Metric.metric == PRIMARY_METRIC,
            Metric.model == "difference",
            # Of a difference to a reference model it is the model.
            Metric.versus == "",
            Metric.slicing == "",
        )
        .order_by(Metric.task)
    )
    titles = connection.execute(
        select(Title.name, Title.title)
        .where(Title.run == run, Title.kind == "task")
        .order_by(Title.name)
    )
    return StoredVerdict(
        run,
        blessed,
        registered,
        {row.task: row.verdict for row in verdicts},
        {row.name: row.title for row in titles},
        (
            *(message for (message,) in reasons),
            # Of these no comparison failed: their reason is that of the task.
            *(row.reason for row in verdicts if row.verdict == "not_judged" and row.reason),
        ),
        {task: Estimate(value, lower, upper) for task, value, lower, upper in differences},
    )
