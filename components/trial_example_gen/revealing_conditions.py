"""Conditions that give the arm away, while the trial is ongoing and its arm is hidden.

A population of those who in fact had the drug, or events of one arm's rows, makes pooled figures
those of an arm. Columns of conditions are therefore compared with the arm of all subjects, before
the population and the window are applied, among the arms that these leave.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.trial_example_gen.revealing import ARM, HASH, gives_away, tells_arm
from components.trial_example_gen.subject_hashes import deal_hashes
from pipeline.reading.buckets import SUBJECT
from pipeline.reading.groups import arm_names
from pipeline.reading.joined import AllSubjects
from pipeline.study.study import Study

OWN = ""
"""Key of the sample that has each subject once."""

_INSIDE = "inside"
_LEFT = "population and window: who is left"


def samples_of(study: Study, found: AllSubjects) -> dict[str, pa.Table]:
    """What the check needs of a bucket.

    Args:
        study: The blinded study.
        found: All subjects, and rows of them.

    Returns:
        A table for each column of a condition, by its place in the study file, with each value that
        a subject has, and one of all subjects: `hash`, `hidden 0` and so on (the arm, and each
        factor of it), `inside` (whether population and window leave the subject).
    """
    columns = study.hidden.arm if study.hidden else ()
    factors = [columns, *((column,) for column in columns if len(columns) > 1)]
    keys = found.own[SUBJECT]
    hashes = deal_hashes(study.study, keys.to_pylist(), study.split.seed)
    own = pa.table(
        {
            HASH: hashes,
            **{f"{ARM} {n}": arm_names(factor, found.own) for n, factor in enumerate(factors)},
            _INSIDE: found.inside,
        }
    )
    samples = {OWN: own}
    for place, (dataset, column) in _places(study).items():
        rows = found.own if dataset == study.subject.dataset else found.rows.get(dataset)
        if rows is not None and column in rows.column_names:
            index = pc.index_in(rows[SUBJECT], keys)
            known = pc.is_valid(index)
            table = own.take(index.filter(known)).append_column(
                place, _nan_as_null(rows[column].filter(known))
            )
            samples[place] = table.group_by(table.column_names).aggregate([])
    return samples


def revealing_conditions(samples: Mapping[str, pa.Table]) -> Iterator[str]:
    """Yields a sentence for each condition that gives the arm away.

    Args:
        samples: As of `samples_of`, of all buckets.
    """
    own = samples[OWN]
    arm = f"{ARM} 0"
    left = pc.unique(own.filter(own[_INSIDE])[arm]).drop_null()
    if len(left) == 1 and len(pc.unique(own[arm]).drop_null()) > 1:
        yield (
            "population, window: all subjects that they leave are of one arm, and the data have "
            "several, so that pooled figures would be those of an arm (`conduct: ongoing`). Leave "
            "them out until the trial is locked."
        )
        return
    who = own.append_column(_LEFT, pc.cast(own[_INSIDE], pa.string()))
    for place, table in {**samples, _LEFT: who}.items():
        if place != OWN and _tells(table, own, left, place):
            yield gives_away(place)


def _tells(table: pa.Table, own: pa.Table, left: pa.Array, place: str) -> bool:
    table, own = (found.filter(pc.is_in(found[f"{ARM} 0"], left)) for found in (table, own))
    return any(
        _tells_factor(table[place].combine_chunks(), table[factor], own[factor])
        for factor in own.column_names
        if factor.startswith(f"{ARM} ")
    )


def _tells_factor(values: pa.Array, arms: pa.ChunkedArray, of_all: pa.ChunkedArray) -> bool:
    names = pc.unique(of_all)
    if len(names) < 2 or not len(values):
        return False
    codes = pc.index_in(of_all, names).to_numpy()
    shares = np.bincount(codes) / len(codes)
    return tells_arm(values, pc.index_in(arms, names).to_numpy(), shares)


def _places(study: Study) -> dict[str, tuple[str, str]]:
    """Dataset and column of each condition, by its place in the study file."""
    return {
        f"{use.key}: column {use.column} of {use.dataset}": (use.dataset, use.column)
        for use in study.references()
        if use.column and (use.condition is not None or use.role == "window")
    }


def _nan_as_null(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_floating(values.type):
        return values
    return pc.if_else(pc.is_nan(values), None, values)
