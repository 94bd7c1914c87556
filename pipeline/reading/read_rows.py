"""The part of the Beam graphs that reads: files to typed rows in buckets of subjects.

Rows are shuffled as Arrow record batches, in buckets of subjects: the bucket is a hash of the
subject key, so that all rows of a subject meet, whatever dataset they come from, and a site of any
size is spread over all buckets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam

from pipeline.errors import UserError
from pipeline.reading.buckets import ToBuckets, number_of_buckets, tables_of
from pipeline.reading.formats import Extent, read
from pipeline.reading.joined import JoinedSubjects, join_bucket
from pipeline.reading.plan import ReadingPlan
from pipeline.reading.rejects import row_counts
from pipeline.reading.rows import RowPreparer
from pipeline.reading.unreadable import rejected_name

ROWS = "rows"
REJECTS = "rejects"
COUNTS = "counts"

CounterOfRows = Counter[tuple[str, ...]]


def read_rows(root: beam.Pipeline, plan: ReadingPlan) -> Any:
    """Adds everything from the files to buckets of rows to a Beam pipeline.

    Args:
        root: The Beam pipeline.
        plan: What to read.

    Returns:
        Tagged outputs: `ROWS` grouped by bucket, for `joined`; `REJECTS`, a line each; and
        `COUNTS`, counters of rows, with ("problems", text) for what a person has to mend.
    """
    parts = [(name, extent) for name, item in plan.datasets.items() for extent in item.extents()]
    found = (
        root
        | "Parts" >> beam.Create(parts)
        | "Spread" >> beam.Reshuffle()
        | "ReadRows" >> beam.ParDo(_ReadRows(plan)).with_outputs(REJECTS, COUNTS, main=ROWS)
    )
    grouped = found[ROWS] | "BySubject" >> beam.GroupByKey()
    return {ROWS: grouped, REJECTS: found[REJECTS], COUNTS: found[COUNTS]}


def joined(plan: ReadingPlan, payloads: Iterable[tuple[str, bytes]]) -> JoinedSubjects:
    """Joins one bucket of `ROWS`."""
    return join_bucket(plan, tables_of(payloads))


def buckets_of(plan: ReadingPlan) -> int:
    """Number of buckets of subjects that a plan's rows are divided into."""
    return number_of_buckets(plan.bytes)


@beam.typehints.with_output_types(Any)
class _ReadRows(beam.DoFn):
    """Reads one extent and sends its rows to their buckets."""

    def __init__(self, plan: ReadingPlan) -> None:
        self._plan = plan
        self._preparers: dict[str, RowPreparer] = {}

    def process(self, part: tuple[str, Extent]) -> Iterator[Any]:
        try:
            yield from self._read(*part)
        except UserError as error:
            # Runners turn an exception of a worker into text of their own: a mistake in the
            # data travels as what it is, and the executor raises it.
            yield beam.pvalue.TaggedOutput(COUNTS, Counter({("problems", str(error)): 1}))

    def _read(self, dataset: str, extent: Extent) -> Iterator[Any]:
        plan = self._plan.datasets[dataset]
        if dataset not in self._preparers:
            self._preparers[dataset] = RowPreparer(self._plan.study, plan)
        preparer = self._preparers[dataset]
        counts: CounterOfRows = Counter()
        to_buckets = ToBuckets(buckets_of(self._plan))
        for first_row, batch in read(extent, plan.format, plan.names):
            rows = preparer.prepare(extent.path, first_row, batch)
            counts += row_counts(
                dataset, rows.rejects, rows_in=rows.rows_in, excluded=rows.excluded
            )
            counts.update(rows.levels)
            yield from (beam.pvalue.TaggedOutput(REJECTS, r.to_json()) for r in rows.rejects)
            yield from to_buckets.add(dataset, rows.table)
            if len(rows.rejected):
                yield from to_buckets.add(rejected_name(dataset), rows.rejected)
        yield from to_buckets.rest()
        yield beam.pvalue.TaggedOutput(COUNTS, counts)
