"""TrialExampleGen and TrialSummary read by one plan: subjects, qualifiers and types are the same.

Random trials in the manner of SDTM, with qualifiers of subjects (SUPPDM) and of events (SUPPAE,
where AETRTEM has its standard place), rejected rows, ranges and codes of missing values; and CDISC
Pilot 01.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.trial_example_gen.features import derive_features
from components.trial_summary.bucket import sum_up
from components.trial_summary.sums import ANY, Progress
from pipeline.reading.plan import plan_examples, plan_summary
from pipeline.study.load import load_study, parse_study
from pipeline.study.shipped import SCHEMAS
from pipeline.study.study import Study
from tests.components.trial_example_gen.hand_made_trial import Reading
from tests.components.trial_summary.trial_made_by_hand import rows, summarised
from tests.each import each

_TEXT = {"type": "text"}
_QUALIFIER = ("RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QVAL")
_HEADERS = {
    "dm": ("DOMAIN", "USUBJID", "ARM", "AGE", "DAYS", "DIED"),
    "ae": ("DOMAIN", "USUBJID", "AESEQ", "AEBODSYS", "AEDUR"),
    "suppdm": _QUALIFIER,
    "suppae": _QUALIFIER,
}

Row = tuple[str, ...]
Files = dict[str, list[Row]]


def _dataset(name: str, rows_: str, **more: Any) -> dict[str, Any]:
    columns = dict.fromkeys(_HEADERS[name], _TEXT)
    columns |= more.pop("columns", {})
    return {"file": f"{name}.csv", "format": "csv", "rows": rows_, "columns": columns, **more}


STUDY = parse_study(
    {
        "study": "hand",
        "title": "Made by hand",
        "datasets": {
            "dm": _dataset(
                "dm",
                "one_per_subject",
                columns={
                    "AGE": {
                        "type": "number",
                        "known": "baseline",
                        "range": [18, 90],
                        "missing": [99],
                    },
                    "ARM": {"type": "text", "known": "baseline"},
                    "DAYS": {"type": "number", "range": [0, 500]},
                    "SAFETY": _TEXT,
                },
            ),
            "suppdm": _dataset("suppdm", "many_per_subject", supplements="dm"),
            "ae": _dataset(
                "ae",
                "many_per_subject",
                known="baseline",
                columns={"AEDUR": {"type": "number", "range": [0, 100]}, "AETRTEM": _TEXT},
            ),
            "suppae": _dataset("suppae", "many_per_subject", supplements="ae"),
        },
        "subject": {"dataset": "dm", "column": "USUBJID"},
        "arm": {"columns": ["ARM"], "control": "P"},
        "population": {"column": "SAFETY", "equals": "Y"},
        "features": {
            "AGE": {"kind": "number"},
            "emergent": {
                "kind": "number",
                "dataset": "ae",
                "where": {"column": "AETRTEM", "equals": "Y"},
                "aggregate": "count",
                "rejected_rows": "ignore",
            },
            "duration": {
                "kind": "number",
                "dataset": "ae",
                "column": "AEDUR",
                "aggregate": "max",
            },
        },
        "tasks": {
            "death": {
                "kind": "outcome",
                "title": "Dead",
                "state": {"positive": {"column": "DIED", "equals": "Y"}},
            }
        },
        "summary": {
            "exposure": {"days": "DAYS"},
            "adverse_events": {
                "dataset": "ae",
                "where": {"column": "AETRTEM", "equals": "Y"},
                "category": "AEBODSYS",
            },
        },
    },
    "study.yaml",
)


def _of(*values: str) -> st.SearchStrategy[str]:
    return st.sampled_from(values)


_KEYS = ("S1", "S2", "S3", "S4")


def _subject(key: st.SearchStrategy[str]) -> st.SearchStrategy[Row]:
    return st.tuples(
        st.just("DM"),
        key,
        _of("A", "P", ""),
        _of("40", "61.5", "55", "99", "", "17", "old"),
        _of("100", "9000", "long", ""),
        _of("Y", "N"),
    )


_EVENT = st.tuples(
    st.just("AE"),
    _of(*_KEYS, *_KEYS, "S9", ""),
    _of("1", "2", "3"),
    _of("SKIN", "EYE", ""),
    _of("5", "6", "7", "900", "long", ""),
)


def _qualifiers(domain: str, name: str, *records: tuple[str, str]) -> st.SearchStrategy[Row]:
    """Rows of a SUPP-- dataset; `records` are pairs of IDVAR and IDVARVAL."""
    named = st.sampled_from([("", ""), *records])
    return st.builds(
        lambda related, key, record, qualifier, content: (
            related,
            key,
            *record,
            qualifier,
            content,
        ),
        _of(domain, domain, "", "LB"),
        _of(*_KEYS, *_KEYS, "S9"),
        named,
        _of(name, name, name, "OTHER"),
        _of("Y", "Y", "N", ""),
    )


_RECORDS = (("AESEQ", "1"), ("AESEQ", "2"), ("AESEQ", "3"), ("AEWHAT", "1"), ("", "1"))


def _files(
    first: tuple[Row, ...], more: list[Row], events: list[Row], safety: list[Row], flags: list[Row]
) -> Files:
    """Every subject has a row and is in the population, unless further rows differ."""
    every_subject = [("DM", key, "", "", "SAFETY", "Y") for key in _KEYS]
    return {
        "dm": [*first, *more],
        "ae": events,
        "suppdm": [*every_subject, *safety],
        "suppae": flags,
    }


FILES = st.builds(
    _files,
    st.tuples(*(_subject(st.just(key)) for key in _KEYS)),
    st.lists(_subject(_of(*_KEYS, "S5", "")), max_size=2),
    st.lists(_EVENT, max_size=12),
    st.lists(_qualifiers("DM", "SAFETY"), max_size=3),
    st.lists(_qualifiers("AE", "AETRTEM", *_RECORDS), max_size=12),
)


@dataclass(frozen=True)
class Expected:
    """The trial as it is read by hand: subjects with their arm, and their emergent events."""

    files: Files

    @property
    def subjects(self) -> dict[str, str]:
        rows_ = [row for row in self.files["dm"] if row[1]]
        keys = [row[1] for row in rows_]
        return {
            row[1]: row[2]
            for row in rows_
            if keys.count(row[1]) == 1
            and row[3] not in ("17", "old")
            and self._qualifier("suppdm", "DM", row[1], {}, "SAFETY") == "Y"
        }

    def events(self, key: str) -> list[Row]:
        """Treatment-emergent events of a subject whose rows can be used."""
        return [
            row
            for row in self.files["ae"]
            if row[1] == key
            and row[4] not in ("900", "long")
            and self._qualifier("suppae", "AE", key, {"AESEQ": row[2]}, "AETRTEM") == "Y"
        ]

    def may_have_had_more(self, key: str) -> bool:
        """Whether a rejected row, or qualifier, may make one more event treatment-emergent."""
        return self._has_rejected_flag(key) or any(
            row[1] == key
            and row[4] in ("900", "long")
            and self._qualifier("suppae", "AE", key, {"AESEQ": row[2]}, "AETRTEM")
            in ("Y", "", None)
            for row in self.files["ae"]
        )

    def _has_rejected_flag(self, key: str) -> bool:
        """Whether a flag of a subject with events belongs to no record that could be told."""
        numbers = {row[2] for row in self.files["ae"] if row[1] == key}
        return bool(numbers) and any(
            (subject, qualifier) == (key, "AETRTEM")
            and content
            and related in ("", "AE")
            and (variable, number) != ("", "")
            and not (variable == "AESEQ" and number in numbers)
            for related, subject, variable, number, qualifier, content in self.files["suppae"]
        )

    def _qualifier(
        self, file: str, domain: str, key: str, record: dict[str, str], name: str
    ) -> str | None:
        of_subject, of_record = None, None
        for related, subject, variable, number, qualifier, content in self.files[file]:
            # Where no row of the parent is there, its domain is not known either.
            if subject != key or qualifier != name or not content or related not in ("", domain):
                continue
            if variable in record and record[variable] == number:
                of_record = content
            elif not variable and not number:
                of_subject = content
        return of_record or of_subject


def write_files(folder: Path, files: Files) -> None:
    for name, found in files.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([_HEADERS[name], *found])


def summed(reading: Reading, buckets: int) -> Progress:
    progress = Progress()
    for subjects in reading.joined_in(buckets):
        progress.merge(sum_up(reading.plan.study, subjects))
    return progress


def cells(reading: Reading, dataset: str, columns: Iterable[str]) -> list[tuple[Any, ...]]:
    """Subject, row and values of the used rows of a dataset."""
    table = reading.joined.rows[dataset].table.sort_by("#row")
    names = ["#subject", "#row", *columns]
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def rows_of(reading: Reading) -> dict[tuple[str, ...], int]:
    """Counts of rows; beside them each stage notes the levels and values that it looks for."""
    noted = {"levels", "values"}
    return {key: count for key, count in reading.counts.items() if key[0] not in noted}


@pytest.mark.slow
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=FILES, buckets=st.integers(1, 5))
def test_both_stages_have_the_same_subjects_qualifiers_and_types(
    tmp_path: Path, files: Files, buckets: int
) -> None:
    write_files(tmp_path, files)
    expected = Expected(files)
    examples = Reading(plan_examples(STUDY, str(tmp_path)))
    summary = Reading(plan_summary(STUDY, str(tmp_path)))

    # Subjects, and which rows are rejected and why.
    assert examples.joined.keys == summary.joined.keys == sorted(expected.subjects)
    assert examples.rejects == summary.rejects
    assert rows_of(examples) == rows_of(summary)

    # Types and values of whatever both read.
    for name in ("dm", "ae"):
        mine, other = (reading.plan.datasets[name] for reading in (examples, summary))
        shared = [column for column in mine.types if column in other.types]
        assert {c: mine.types[c] for c in shared} == {c: other.types[c] for c in shared}
        assert cells(examples, name, shared) == cells(summary, name, shared)

    # Numbers, in however many buckets.
    sums = summed(summary, buckets).enrolled
    assert sums.subjects == len(expected.subjects)
    emergent = derive_features(STUDY, examples.joined).values["emergent"].to_pylist()
    assert emergent == [len(expected.events(key)) for key in sorted(expected.subjects)]
    with_event = {
        arm: sum(n for (of, category, _), n in sums.events.items() if (of, category) == (arm, ANY))
        for arm in ("A", "P", "")
    }
    assert with_event == {
        arm: sum(
            bool(expected.events(key)) and not expected.may_have_had_more(key)
            for key, of in expected.subjects.items()
            if of == arm
        )
        for arm in ("A", "P", "")
    }
    assert sums.events_unknown == Counter(
        of for key, of in expected.subjects.items() if expected.may_have_had_more(key)
    )


def _one_trial(*events: Row, supp: Sequence[Row] = ()) -> Files:
    return {
        "dm": [("DM", "S1", "A", "40", "100", "Y"), ("DM", "S2", "P", "50", "100", "N")],
        "suppdm": [("DM", key, "", "", "SAFETY", "Y") for key in ("S1", "S2")],
        "ae": list(events),
        "suppae": list(supp),
    }


def events_of(folder: Path, files: Files) -> dict[tuple[str, str], int]:
    """Subjects with an event by arm and organ class, as TrialSummary counts them."""
    write_files(folder, files)
    events = summed(Reading(plan_summary(STUDY, str(folder))), 1).enrolled.events
    return {(arm, category): number for (arm, category, _), number in events.items()}


EVENTS = (("AE", "S1", "1", "SKIN", "5"), ("AE", "S1", "2", "EYE", "5"))


def test_the_summary_reads_the_treatment_emergent_flag_from_suppae(tmp_path: Path) -> None:
    supp = [("AE", "S1", "AESEQ", "2", "AETRTEM", "Y")]
    found = events_of(tmp_path, _one_trial(*EVENTS, supp=supp))
    assert found == {("A", ANY): 1, ("A", "EYE"): 1}


def test_a_qualifier_of_another_domain_is_none(tmp_path: Path) -> None:
    supp = [("AE", "S1", "", "", "AETRTEM", "Y"), ("LB", "S1", "", "", "AETRTEM", "N")]
    found = events_of(tmp_path, _one_trial(*EVENTS, supp=supp))
    assert found == {("A", ANY): 1, ("A", "SKIN"): 1, ("A", "EYE"): 1}


def test_a_rejected_event_counts_nowhere(tmp_path: Path) -> None:
    supp = [("AE", "S1", "", "", "AETRTEM", "Y")]
    late = ("AE", "S1", "3", "HEART", "900")
    found = events_of(tmp_path, _one_trial(*EVENTS, late, supp=supp))
    assert ("A", "HEART") not in found


@pytest.fixture(scope="module")
def pilot(trial_data_dir: Path) -> Path:
    return trial_data_dir / "cdisc_pilot01"


@pytest.fixture(scope="module")
def pilot_study() -> Study:
    return load_study(SCHEMAS / "cdisc_pilot01_sdtm" / "study.yaml")


def test_the_pilot_has_the_same_subjects_qualifiers_and_types_in_both_stages(
    pilot: Path, pilot_study: Study
) -> None:
    examples = Reading(plan_examples(pilot_study, str(pilot)))
    summary = Reading(plan_summary(pilot_study, str(pilot)))
    assert len(examples.joined.keys) == 254
    assert summary.joined.keys == examples.joined.keys
    assert summed(summary, 3).enrolled.subjects == 254
    compared = 0
    for name in each(set(summary.joined.rows)):
        mine, other = (reading.plan.datasets[name] for reading in (examples, summary))
        shared = [column for column in mine.types if column in other.types]
        assert {c: mine.types[c] for c in shared} == {c: other.types[c] for c in shared}
        # Each stage keeps the rows that it asks for.
        of_examples, of_summary = (
            {row[:2]: row for row in cells(reading, name, shared)}
            for reading in (examples, summary)
        )
        both = set(of_examples) & set(of_summary)
        assert {row: of_examples[row] for row in both} == {row: of_summary[row] for row in both}
        compared += len(both)
    assert compared > 254 + 692
    qualifier = ("qualifiers", "dm", "SAFETY")
    assert summary.counts[qualifier] == examples.counts[qualifier] == 254


def _moved(pilot: Path, folder: Path, names: Sequence[str]) -> Iterator[str]:
    """Moves columns of AE into SUPPAE, by AESEQ; yields the files that are left as they are."""
    target = folder / "sdtm"
    target.mkdir(parents=True)
    events, _ = pyreadstat.read_xport(pilot / "sdtm" / "ae.xpt", encoding="windows-1252")
    events = events.replace("", None).convert_dtypes()
    events.drop(columns=list(names)).to_parquet(target / "ae.parquet")
    moved = events.melt(["USUBJID", "AESEQ"], names, "QNAM", "QVAL").dropna(subset=["QVAL"])
    moved = moved.assign(RDOMAIN="AE", IDVAR="AESEQ", IDVARVAL=moved["AESEQ"].astype(int))
    moved["IDVARVAL"] = moved["IDVARVAL"].astype(str)
    moved.drop(columns="AESEQ").to_parquet(target / "suppae.parquet")
    for path in (pilot / "sdtm").iterdir():
        if path.name != "ae.xpt":
            (target / path.name).symlink_to(path)
            yield path.name


def test_the_pilots_severities_are_counted_alike_in_ae_and_in_suppae(
    pilot: Path, pilot_study: Study, tmp_path: Path
) -> None:
    assert list(_moved(pilot, tmp_path / "data", ["AESEV", "AEBODSYS"]))
    content = pilot_study.to_content()
    content["datasets"]["ae"] |= {"file": "sdtm/ae.parquet", "format": "parquet"}
    content["datasets"]["suppae"] = {
        "file": "sdtm/suppae.parquet",
        "format": "parquet",
        "rows": "many_per_subject",
        "supplements": "ae",
    }
    moved = summarised(parse_study(content, "study.yaml"), tmp_path / "data", tmp_path / "moved")
    as_it_is = summarised(pilot_study, pilot, tmp_path / "as_it_is")
    assert moved == as_it_is
    assert len(rows(moved, "adverse_events", "share")) >= 12
