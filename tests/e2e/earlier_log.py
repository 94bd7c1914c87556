"""A prediction log as it would be if what a test does now had been done months ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from pipeline.names import SUBJECT_HASH
from pipeline.predictions.log import Batch
from pipeline.predictions.outcomes import KNOWN_AT, RECORDED_AT, RecordedCut
from pipeline.predictions.parquet_log import ParquetLog
from pipeline.predictions.rows import PREDICTED_AT, Occasion

WEEKS = 8
"""In so many weeks the subjects are predicted, and in as many their outcomes become known."""


def write_earlier(study: str, found: ParquetLog, earlier: ParquetLog) -> None:
    """Writes the rows of a log as if subjects had come week by week, months ago.

    Alarms look at weeks that are over. All that the test does happens now, so this is its clock:
    the first subjects were predicted 25 weeks ago, outcomes are known 14 weeks after a prediction.
    """
    predictions = pa.concat_tables(found.read(study))
    outcomes = pa.concat_tables(found.read_outcomes(study))
    for week in range(WEEKS):
        at = datetime.now(UTC) - timedelta(weeks=25 - week)
        known = at + timedelta(weeks=14)
        batch = Batch(Occasion(study, "score", f"r{week}"), f"r{week}", at.date())
        earlier.append(batch, [_in_week(predictions, week, {PREDICTED_AT: at})])
        cut = RecordedCut(study, f"cut{week}", known)
        earlier.append_outcomes(
            cut, _in_week(outcomes, week, {KNOWN_AT: known, RECORDED_AT: known})
        )


def _in_week(table: pa.Table, week: int, moments: dict[str, datetime]) -> pa.Table:
    """The subjects of a week, by their pseudonyms, with other moments."""
    rows = [int(name[:8], 16) % WEEKS == week for name in table[SUBJECT_HASH].to_pylist()]
    own = table.filter(pa.array(rows))
    for name, moment in moments.items():
        place = own.schema.get_field_index(name)
        field = own.schema.field(place)
        own = own.set_column(place, field, pa.array([moment] * len(own), field.type))
    return own
