"""Sums of a part of the subjects, with all their rows, by what they are sums of."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from components.monitor.complete import COUNTED_SINCE, complete
from pipeline.monitoring.periods import start_of
from pipeline.monitoring.tallies import Tally, cells_of, outcome_tally
from pipeline.names import SUBJECT_HASH
from pipeline.predictions.outcomes import KNOWN_AT, OBSERVED, OUTCOME, STATUS, WEIGHT
from pipeline.predictions.rows import PREDICTED_AT, PREDICTION, TASK
from pipeline.predictions.scored_outcomes import scored_outcomes
from pipeline.results.of_group import OVERALL, Group
from pipeline.results.scored_file import FLAGS, INPUTS, MODEL, flag_of
from pipeline.study.sections.monitoring import CalendarPeriod

FLAG = "flag"
"""The slicing by kind of flag, of which a subject may have several; `ANY` of those with one."""

ANY = "any"

MISSING = None
"""Name of the bin of a missing value."""

_WEEK: CalendarPeriod = "week"
_MICROSECONDS_OF_A_DAY = 86_400_000_000
_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class Key:
    """What a tally is of.

    Attributes:
        what: `use`: subjects by cell of their prediction, with the sums of predictions and of their
            squares; refused ones are in cell -1. `risks`: the same by week, counts alone. `input`
            and `inputs`: subjects by bin of a feature, of a period and of a week. `outcome`: see
            `outcome_tally`. `delay`: subjects by days from prediction to outcome. `pair`: see
            `pipeline.monitoring.observed.Pairs`, with the number of subjects at the end.
        model: Id of the registration; of a pair the one that is not the champion's.
        task: The task; empty for inputs.
        start: First day of the period, or of the week.
        group: The group; of inputs the feature alone stands in it.
        recorded: When the data cut was recorded since which the outcomes count, see
            `components.monitor.complete`; None of what has none.
    """

    what: Literal["use", "risks", "input", "inputs", "outcome", "delay", "pair"]
    model: str
    task: str
    start: dt.date
    group: Group = OVERALL
    recorded: dt.datetime | None = None

    def to_text(self) -> str:
        """The key as Beam groups by it."""
        moment = self.recorded.isoformat() if self.recorded else None
        start = self.start.isoformat()
        return json.dumps([self.what, self.model, self.task, start, self.group, moment])

    @classmethod
    def of_text(cls, text: str) -> Key:
        """Reads what `to_text` wrote."""
        what, model, task, start, group, moment = json.loads(text)
        return cls(
            what,
            model,
            task,
            dt.date.fromisoformat(start),
            tuple((slicing, value) for slicing, value in group),
            dt.datetime.fromisoformat(moment) if moment else None,
        )


@dataclass(frozen=True)
class Plan:
    """What is computed.

    Attributes:
        champion: Id of the champion's registration.
        period: Length of the periods.
        groups: Feature of each slicing.
        days: Days from landmark to horizon, of each task with a horizon.
    """

    champion: str
    period: CalendarPeriod
    groups: Mapping[str, str]
    days: Mapping[str, int]


def partition_tallies(
    predictions: Sequence[pa.Table], outcomes: Sequence[pa.Table], plan: Plan
) -> Iterator[tuple[Key, Tally]]:
    """Sums of some subjects.

    Args:
        predictions: All their predictions, of the schema `ROWS`.
        outcomes: All their outcomes, of the schema `OUTCOME_ROWS`.
        plan: What is computed.

    Yields:
        Each key once.
    """
    if not predictions:
        return
    rows = pa.concat_tables(predictions).combine_chunks()
    yield from _use(rows, plan)
    scored = scored_outcomes(predictions, outcomes).rows
    known = scored.filter(pc.equal(scored[STATUS], OBSERVED)).combine_chunks()
    if len(known) and len(known := complete(known, outcomes, plan.days)):
        yield from _outcomes(known, plan)
        yield from _pairs(known, plan)


def _use(rows: pa.Table, plan: Plan) -> Iterator[tuple[Key, Tally]]:
    """Of a subject the first prediction in each period; of requests without a pseudonym each.

    In the sums by week a subject counts once altogether: alarms take 13 weeks together, and those
    of whom each is a number of its own have to be different subjects.
    """
    frame = _frame(rows, plan)
    frame["order"] = np.arange(len(frame))
    frame["who"] = _who(rows)
    frame = frame.sort_values("at", kind="stable")
    of_subject = ["who", TASK, MODEL]
    for what, column, once in (
        ("use", "period", [*of_subject, "period"]),
        ("risks", "week", of_subject),
    ):
        first = frame.drop_duplicates(once)
        for (model, task, start), part in first.groupby([MODEL, TASK, column]):
            if what == "use":
                yield from _used(part, Key("use", str(model), str(task), start), plan)
            elif len(part := part[part[PREDICTION].notna()]):
                cells = cells_of(part[PREDICTION].to_numpy()).tolist()
                found = Tally.of(cells, np.ones((len(part), 1)))
                yield Key("risks", str(model), str(task), start), found
        # Inputs are those of a subject, the same for each task.
        inputs = first.drop_duplicates([name for name in once if name != TASK])
        kind: Literal["input", "inputs"] = "input" if what == "use" else "inputs"
        for (model, start), part in inputs.groupby([MODEL, column]):
            for feature, tally in _bins(rows, part["order"].to_numpy()):
                yield Key(kind, str(model), "", start, ((feature, ""),)), tally


def _used(part: pd.DataFrame, key: Key, plan: Plan) -> Iterator[tuple[Key, Tally]]:
    for group, chosen in _grouped(part, [*plan.groups]):
        predicted = chosen[PREDICTION].notna().to_numpy()
        values = np.where(predicted, chosen[PREDICTION].to_numpy(), 0.0)
        cells = np.where(predicted, cells_of(values), -1).tolist()
        vectors = np.stack([np.ones_like(values), values, values**2], axis=1)
        yield Key(key.what, key.model, key.task, key.start, group), Tally.of(cells, vectors)
    kinds = part.assign(kind=part["kinds"]).explode("kind")
    kinds = kinds[kinds["kind"].notna()]
    for kind, flagged in [*kinds.groupby("kind"), (ANY, part[part["kinds"].map(len) > 0])]:
        if len(flagged):
            found = Tally.of([0], np.array([[float(flagged["order"].nunique()), 0.0, 0.0]]))
            yield Key(key.what, key.model, key.task, key.start, ((FLAG, str(kind)),)), found


def _bins(rows: pa.Table, places: np.ndarray) -> Iterator[tuple[str, Tally]]:  # type: ignore[type-arg]
    inputs = rows[INPUTS].take(pa.array(places)).combine_chunks()
    if isinstance(inputs, pa.ChunkedArray):
        inputs = inputs.chunk(0)
    flat = pa.table({"feature": inputs.keys, "bin": inputs.items})
    counted = flat.group_by(["feature", "bin"]).aggregate([("feature", "count")])
    by_feature: dict[str, Tally] = {}
    for row in counted.to_pylist():
        part = Tally.of([row["bin"]], np.array([[float(row["feature_count"])]]))
        by_feature.setdefault(row["feature"], Tally()).merge(part)
    yield from by_feature.items()


def _outcomes(known: pa.Table, plan: Plan) -> Iterator[tuple[Key, Tally]]:
    frame = _known_frame(known, plan)
    for (model, task, start, recorded), part in frame.groupby(
        [MODEL, TASK, "period", COUNTED_SINCE]
    ):
        for group, chosen in _grouped(part, [*plan.groups]):
            found = outcome_tally(
                chosen[PREDICTION].to_numpy(),
                chosen[OUTCOME].to_numpy(np.float64),
                chosen[WEIGHT].to_numpy(),
            )
            yield Key("outcome", str(model), str(task), start, group, _moment(recorded)), found
        days = ((part[KNOWN_AT] - part["at"]) // _MICROSECONDS_OF_A_DAY).astype(int).tolist()
        delays = Tally.of(days, np.ones((len(days), 1)))
        yield Key("delay", str(model), str(task), start, OVERALL, _moment(recorded)), delays


def _pairs(known: pa.Table, plan: Plan) -> Iterator[tuple[Key, Tally]]:
    """Subjects whom the champion and another model have predicted, by the champion's period."""
    frame = _known_frame(known, plan)
    own = frame[frame[MODEL] == plan.champion]
    others = frame[frame[MODEL] != plan.champion]
    joined = own.merge(others, on=[SUBJECT_HASH, TASK], suffixes=("", "_other"))
    for (model, task, start, recorded), part in joined.groupby(
        [f"{MODEL}_other", TASK, "period", COUNTED_SINCE]
    ):
        outcome = part[OUTCOME].to_numpy(np.float64)
        weight = part[WEIGHT].to_numpy()
        first, second = (part[name].to_numpy() for name in (PREDICTION, f"{PREDICTION}_other"))
        gain = (second - outcome) ** 2 - (first - outcome) ** 2
        sums = [
            *(weight, weight**2, weight * gain, weight**2 * gain, (weight * gain) ** 2),
            np.ones_like(weight),
        ]
        names = zip(
            outcome.astype(int).tolist(),
            cells_of(first).tolist(),
            cells_of(second).tolist(),
            strict=True,
        )
        found = Tally.of(names, np.stack(sums, axis=1))
        yield Key("pair", str(model), str(task), start, OVERALL, _moment(recorded)), found


def _grouped(part: pd.DataFrame, slicings: Sequence[str]) -> Iterator[tuple[Group, pd.DataFrame]]:
    """All subjects, and those of each group by a value that they have."""
    yield OVERALL, part
    for slicing in slicings:
        for value, chosen in part.groupby(_column(slicing)):
            yield ((slicing, str(value)),), chosen


def _column(slicing: str) -> str:
    # With a colon: no column of the log is called so.
    return f"group:{slicing}"


def _frame(rows: pa.Table, plan: Plan) -> pd.DataFrame:
    at = rows[PREDICTED_AT].cast(pa.int64()).to_numpy()
    days = [_EPOCH + dt.timedelta(days=int(day)) for day in at // _MICROSECONDS_OF_A_DAY]
    frame = pd.DataFrame(
        {
            TASK: rows[TASK].to_pylist(),
            MODEL: rows[MODEL].to_pylist(),
            SUBJECT_HASH: rows[SUBJECT_HASH].to_pylist(),
            PREDICTION: rows[PREDICTION].to_numpy().astype(np.float64),
            "at": at,
            "period": [start_of(day, plan.period) for day in days],
            "week": [start_of(day, _WEEK) for day in days],
            "kinds": [_kinds(flags) for flags in rows[FLAGS].to_pylist()],
        }
    )
    inputs = rows[INPUTS].to_pylist()
    for slicing, feature in plan.groups.items():
        # An unknown category has no name of its own: such a subject is in no group.
        frame[_column(slicing)] = [dict(of or ()).get(feature) or None for of in inputs]
    return frame


def _known_frame(known: pa.Table, plan: Plan) -> pd.DataFrame:
    frame = _frame(known, plan)
    frame[OUTCOME] = known[OUTCOME].to_numpy()
    frame[WEIGHT] = known[WEIGHT].to_numpy().astype(np.float64)
    for name in (KNOWN_AT, COUNTED_SINCE):
        frame[name] = known[name].cast(pa.int64()).to_numpy()
    return frame


def _who(rows: pa.Table) -> list[str | int]:
    """A name for each subject; a number for each request without a pseudonym.

    Rows of one request for several tasks are those of one subject: they have the same moment and
    inputs.
    """
    found: list[str | int] = []
    seen: dict[tuple[object, ...], int] = {}
    columns = (rows[name].to_pylist() for name in (SUBJECT_HASH, TASK, MODEL, PREDICTED_AT, INPUTS))
    for subject, task, model, at, inputs in zip(*columns, strict=True):
        if subject is not None:
            found.append(subject)
            continue
        same = (task, model, at, tuple(inputs or ()))
        number = seen[same] = seen.get(same, 0) + 1
        found.append(hash((model, at, tuple(inputs or ()), number)))
    return found


def _kinds(flags: Sequence[str] | None) -> list[str]:
    """The kinds of a subject's flags, each once, whatever features they are about."""
    return sorted({flag_of(flag)[0] for flag in flags or ()})


def _moment(microseconds: object) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(str(microseconds)) / 1e6, dt.UTC)
