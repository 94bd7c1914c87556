"""A small trial whose every number a test can see, taken through TrialExampleGen's steps.

The steps run one after the other, without Beam and without any artifact: files, plan, typed
rows, join, and on demand features and labels.
"""

from __future__ import annotations

import copy
import json
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from components.trial_example_gen.counts import counts_document
from components.trial_example_gen.features import derive_features
from components.trial_example_gen.labels import derive_labels
from components.trial_example_gen.masks import REASONS
from pipeline.reading.buckets import ToBuckets, tables_of
from pipeline.reading.formats import read
from pipeline.reading.joined import JoinedSubjects, join_bucket
from pipeline.reading.plan import DatasetPlan, ReadingPlan, plan_examples
from pipeline.reading.rejects import Reject, row_counts
from pipeline.reading.rows import RowPreparer
from pipeline.reading.unreadable import rejected_name
from pipeline.study.load import parse_study
from pipeline.study.study import Study

REMOVED = object()

_STUDY: dict[str, Any] = {
    "study": "hand",
    "title": "A trial made by hand",
    "datasets": {
        "dm": {
            "file": "dm.csv",
            "format": "csv",
            "rows": "one_per_subject",
            "columns": {
                "USUBJID": {"type": "text"},
                "AGE": {"type": "number", "known": "baseline", "range": [0, 120]},
                "SEX": {"type": "text", "known": "baseline"},
                "DIED": {"type": "text", "known": "after"},
            },
        },
        "lb": {
            "file": "lb.csv",
            "format": "csv",
            "rows": "many_per_subject",
            "day": "LBDY",
            "parameter": "LBTESTCD",
            "columns": {
                "USUBJID": {"type": "text"},
                "LBTESTCD": {"type": "text"},
                "LBDY": {"type": "number"},
                "LBSTRESN": {"type": "number"},
                "LBNRIND": {"type": "text"},
            },
        },
    },
    "subject": {"dataset": "dm", "column": "USUBJID"},
    "landmark": {"day": 28},
    "features": {
        "AGE": {"kind": "number"},
        "alt": {
            "kind": "number",
            "dataset": "lb",
            "column": "LBSTRESN",
            "where": {"column": "LBTESTCD", "equals": "ALT"},
            "aggregate": "last",
        },
    },
    "tasks": {
        "death": {
            "kind": "outcome",
            "title": "Dead at the end",
            "state": {"positive": {"column": "DIED", "equals": "Y"}},
        }
    },
}

DM = """
    USUBJID,AGE,SEX,DIED
    S1,61,F,Y
    S2,72,M,N
"""

LB = """
    USUBJID,LBTESTCD,LBDY,LBSTRESN,LBNRIND
    S1,ALT,1,20,NORMAL
    S2,ALT,1,30,HIGH
"""


def study_content(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """The hand-made study file with changes, each under its dotted path."""
    content = copy.deepcopy(_STUDY)
    for path, value in (changes or {}).items():
        *folders, last = path.split(".")
        place = content
        for name in folders:
            place = place.setdefault(name, {})
        if value is REMOVED:
            del place[last]
        else:
            place[last] = copy.deepcopy(value)
    return content


def hand_made_study(changes: dict[str, Any] | None = None) -> Study:
    return parse_study(study_content(changes), "study.yaml")


@dataclass(frozen=True)
class Reading:
    """What a plan's rows are, and how they are joined by subject: without Beam."""

    plan: ReadingPlan

    @cached_property
    def _rows(self) -> tuple[list[tuple[str, pa.Table]], list[Reject], Counter[tuple[str, ...]]]:
        """Prepared rows by dataset, the rejects, and the counts."""
        tables: list[tuple[str, pa.Table]] = []
        rejects: list[Reject] = []
        counts: Counter[tuple[str, ...]] = Counter()
        for name, plan in self.plan.datasets.items():
            preparer = RowPreparer(self.plan.study, plan)
            for extent in plan.extents():
                for first, batch in read(extent, plan.format, plan.names):
                    rows = preparer.prepare(extent.path, first, batch)
                    rejects += rows.rejects
                    counts += row_counts(
                        name, rows.rejects, rows_in=rows.rows_in, excluded=rows.excluded
                    )
                    counts.update(rows.levels)
                    tables.append((name, rows.table))
                    if len(rows.rejected):
                        tables.append((rejected_name(name), rows.rejected))
        return tables, rejects, counts

    @cached_property
    def joined(self) -> JoinedSubjects:
        tables: dict[str, list[pa.Table]] = {}
        for name, table in self._rows[0]:
            tables.setdefault(name, []).append(table)
        return join_bucket(self.plan, tables)

    def joined_in(self, buckets: int) -> Iterator[JoinedSubjects]:
        """The subjects of each of several buckets."""
        to_buckets = ToBuckets(buckets)
        bucketed = [item for name, table in self._rows[0] for item in to_buckets.add(name, table)]
        bucketed += to_buckets.rest()
        for number in sorted({number for number, _ in bucketed}):
            of_bucket = tables_of(payload for other, payload in bucketed if other == number)
            yield join_bucket(self.plan, of_bucket)

    @property
    def rejects(self) -> list[tuple[str, str, int, str | None, str]]:
        """(dataset, file, row, column, reason) of each rejected row, in that order."""
        rejects = self._rows[1] + self.joined.rejects
        documents = [json.loads(reject.to_json()) for reject in rejects]
        found = [(d["dataset"], d["file"], d["row"], d["column"], d["reason"]) for d in documents]
        return sorted(found, key=str)

    @property
    def counts(self) -> Counter[tuple[str, ...]]:
        return self._rows[2] + self.joined.counts

    @property
    def found_levels(self) -> Counter[tuple[str, ...]]:
        """What the files hold of the values that the study file names."""
        return self._rows[2]


@dataclass(frozen=True)
class Trial:
    """A study file and its data, and what TrialExampleGen's steps make of them."""

    study: Study
    folder: Path
    snapshot: str = ""

    @cached_property
    def reading(self) -> Reading:
        return Reading(plan_examples(self.study, str(self.folder), self.snapshot))

    @property
    def plans(self) -> dict[str, DatasetPlan]:
        return self.reading.plan.datasets

    @property
    def joined(self) -> JoinedSubjects:
        return self.reading.joined

    @property
    def subjects(self) -> list[str]:
        return self.joined.keys

    @property
    def rejects(self) -> list[tuple[str, str, int, str | None, str]]:
        """(dataset, file, row, column, reason) of each rejected row, in that order."""
        return self.reading.rejects

    @property
    def counts(self) -> dict[str, Any]:
        counts = self.reading.counts
        document: dict[str, Any] = counts_document(counts, self.study.datasets).model_dump()
        return document["datasets"]

    def feature(self, name: str) -> dict[str, Any]:
        """A feature's value by subject; None where it is missing."""
        values = derive_features(self.study, self.joined).values[name]
        return dict(zip(self.subjects, values.to_pylist(), strict=True))

    def label(self, task: str) -> dict[str, bool | None]:
        """A task's label by subject; None where it is unknown."""
        labels = derive_labels(self.study, self.joined)[task]
        return {
            subject: bool(positive) if known else None
            for subject, positive, known in zip(
                self.subjects, labels.positive, labels.known, strict=True
            )
        }

    def reason(self, task: str) -> dict[str, str | None]:
        """Why a task's label is unknown, by subject; None where it is known."""
        reasons = derive_labels(self.study, self.joined)[task].reason
        named = [None, *map(str, REASONS)]
        return {s: named[number] for s, number in zip(self.subjects, reasons, strict=True)}


def make_trial(
    folder: Path, changes: dict[str, Any] | None = None, **files: str | Iterable[str]
) -> Trial:
    """Writes a trial's files (dm.csv and lb.csv where not given) and describes it."""
    texts = {"dm": DM, "lb": LB, **files}
    for name, text in texts.items():
        whole = text if isinstance(text, str) else "\n".join(text)
        (folder / f"{name}.csv").write_text(textwrap.dedent(whole).strip() + "\n")
    return Trial(hand_made_study(changes), folder)


SUPP = "USUBJID,IDVAR,IDVARVAL,QNAM,QVAL"
"""Header of a file of supplemental qualifiers."""


def supplement_dataset(parent: str) -> dict[str, Any]:
    """Study file entry of a dataset's supplemental qualifiers, supp<parent>.csv."""
    return {
        "file": f"supp{parent}.csv",
        "format": "csv",
        "rows": "many_per_subject",
        "supplements": parent,
        "columns": {name: {"type": "text"} for name in SUPP.split(",")},
    }


def events_dataset(**described: Any) -> dict[str, Any]:
    """Study file entry of a dataset of dated adverse events, ae.csv."""
    return {
        "file": "ae.csv",
        "format": "csv",
        "rows": "many_per_subject",
        "columns": {
            "USUBJID": {"type": "text"},
            "AEDECOD": {"type": "text"},
            "AESTDY": {"type": "number"},
            "AEENDY": {"type": "number"},
            "AESTDTC": {"type": "date"},
            "AEENDTC": {"type": "date"},
        },
        **described,
    }


FOLLOWED_RASH: dict[str, Any] = {
    "datasets.ae": events_dataset(day="AESTDY"),
    "datasets.dm.columns.LASTDY": {"type": "number"},
    "tasks.rash": {
        "kind": "adverse_event",
        "title": "Rash on study days 29 to 90",
        "horizon": 90,
        "event": {
            "dataset": "ae",
            "where": {"column": "AEDECOD", "equals": "Rash"},
            "follow_up": {"dataset": "dm", "day": "LASTDY"},
        },
    },
}
"""A task whose follow-up may end before the horizon."""
