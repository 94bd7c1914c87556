"""Rows of the prediction log, from what was answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import numpy as np
import pyarrow as pa

from pipeline.names import SUBJECT_HASH
from pipeline.predictions.rows import PREDICTED_AT, ROWS, Occasion, log_rows
from pipeline.reading.examples import Categories, ExampleColumns
from pipeline.results.scored_file import FLAGS, INPUTS, MODEL
from pipeline.service.answers import Predicted
from pipeline.service.champion import Champion
from pipeline.skew.bins import binned_inputs, input_bins
from pipeline.study.features import feature_columns


@dataclass(frozen=True)
class Answered:
    """Predictions of a request.

    Attributes:
        predicted: The predictions of n subjects.
        pseudonyms: Of each; None where the client gave none.
        at: When they were predicted.
    """

    predicted: Predicted
    pseudonyms: tuple[str | None, ...]
    at: datetime


def recorded_rows(occasion: Occasion, answered: Sequence[Answered]) -> Iterator[pa.Table]:
    """Rows of the log, a table for each champion that one after the other answered.

    Args:
        occasion: What the rows have in common.
        answered: The requests, in their order.
    """
    for champion, of_one in groupby(answered, key=lambda one: one.predicted.champion):
        requests = list(of_one)
        times = [one.at for one in requests for _ in one.pseudonyms]
        moments = pa.array(times, ROWS.field(PREDICTED_AT).type)
        yield log_rows(occasion, _scored(champion, requests), moments)


def _scored(champion: Champion, requests: Sequence[Answered]) -> pa.Table:
    """Columns of the subjects of several requests, as those of a batch scoring."""
    found = [one.predicted for one in requests]
    flags = [list(of_subject) for one in found for of_subject in one.checked.flags]
    study, seen = champion.study, champion.inputs.seen
    bins = input_bins(seen, *feature_columns(study), study.slicing.smallest_group)
    pseudonyms = [name for one in requests for name in one.pseudonyms]
    return pa.table(
        {
            SUBJECT_HASH: pa.array(pseudonyms, pa.string()),
            **{
                name: pa.array(np.concatenate([one.outputs[name] for one in found]))
                for name in sorted(found[0].outputs)
            },
            FLAGS: pa.array(flags, pa.list_(pa.string())),
            MODEL: pa.array([champion.entry.id] * len(flags), pa.string()),
            INPUTS: binned_inputs(_features(champion, found), bins),
        }
    )


def _features(champion: Champion, found: Sequence[Predicted]) -> ExampleColumns:
    """Features of all subjects, from the arguments of the model."""
    values = {
        column.name: np.concatenate([one.checked.arguments[column.argument] for one in found])
        for column in champion.inputs.columns
    }
    numbers = {column.name for column in champion.inputs.columns if column.kind == "number"}
    return ExampleColumns(
        subjects=sum(one.checked.rows for one in found),
        numbers={name: own for name, own in values.items() if name in numbers},
        categories={
            name: _categories(own.tolist()) for name, own in values.items() if name not in numbers
        },
    )


def _categories(texts: Sequence[bytes]) -> Categories:
    names = sorted(set(texts) - {b""})
    codes = {name: place for place, name in enumerate(names)} | {b"": -1}
    return Categories(
        codes=np.array([codes[text] for text in texts], np.int32),
        values=tuple(name.decode() for name in names),
    )
