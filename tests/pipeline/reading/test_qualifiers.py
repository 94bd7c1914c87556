"""Which records a supplemental qualifier belongs to, and how one of no record is rejected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.components.trial_example_gen.hand_made_trial import Trial, events_dataset, make_trial
from tests.pipeline.reading.formats.written_files import xpt_library, xpt_member

NAMES = ("RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QVAL")
CHANGES: dict[str, Any] = {
    "datasets.ae": events_dataset(day="AESTDY"),
    "datasets.ae.columns.AESOSP": {"type": "text"},
    "datasets.supp": {
        "file": "supp.csv",
        "format": "csv",
        "rows": "many_per_subject",
        "supplements": "ae",
        "columns": {name: {"type": "text"} for name in NAMES},
    },
    "features.special": {
        "kind": "number",
        "dataset": "ae",
        "where": {"column": "AESOSP", "equals": "Y"},
        "aggregate": "count",
        # Shows which records the qualifiers that are left are on.
        "rejected_rows": "ignore",
    },
}
AE = ["USUBJID,AESEQ,AESPID,AESTDY", "S1,1,01,3", "S1,2,A-2,4", "S2,1,01,5"]
OF_NO_RECORD = "a qualifier that belongs to no record"
NO_IDVAR = "a qualifier whose IDVAR names no column that identifies a record"
NO_NAME = "a qualifier without a name"


def qualified(folder: Path, *rows: str, changes: Any = None, **files: Any) -> Trial:
    """A trial with qualifiers: RDOMAIN, USUBJID, IDVAR, IDVARVAL, QNAM and QVAL of each."""
    texts = {"ae": AE, **files}
    return make_trial(
        folder, {**CHANGES, **(changes or {})}, supp=[",".join(NAMES), *rows], **texts
    )


@pytest.mark.parametrize(
    "written", ["2", "02", "2.0", "       2", "2   ", "2.", "+2", "2e0", "0002.000", " 02.0 "]
)
def test_the_number_of_a_record_is_found_however_it_is_written(
    tmp_path: Path, written: str
) -> None:
    trial = qualified(tmp_path, f"AE,S1,AESEQ,{written},AESOSP,Y")
    assert trial.feature("special") == {"S1": 1.0, "S2": 0.0}
    assert trial.counts["supp"]["used"] == 1


@pytest.mark.parametrize("written", ["3", "2.5", "-2", "two", "", "2;", "1 2", "20", "nan", "inf"])
def test_a_qualifier_of_no_record_is_rejected_and_counted(tmp_path: Path, written: str) -> None:
    trial = qualified(tmp_path, f"AE,S1,AESEQ,{written},AESOSP,Y", "AE,S1,AESEQ,1,AESOSP,Y")
    assert trial.feature("special") == {"S1": 1.0, "S2": 0.0}
    assert trial.rejects == [("supp", "supp.csv", 1, "IDVARVAL", OF_NO_RECORD)]
    assert trial.counts["supp"]["used"] == 1


@pytest.mark.parametrize(("written", "found"), [("01", 1), (" 01 ", 1), ("1", 0), ("1.0", 0)])
def test_text_names_a_record_as_text(tmp_path: Path, written: str, found: int) -> None:
    trial = qualified(tmp_path, f"AE,S1,AESPID,{written},AESOSP,Y")
    assert trial.feature("special")["S1"] == found
    assert len(trial.rejects) == 1 - found


@pytest.mark.parametrize("written", [f"{2:>12}", f"{2:<12}", "2.0", "02"])
def test_numbers_of_transport_files_are_found_as_sas_writes_them(
    tmp_path: Path, written: str
) -> None:
    one, two = (bytes.fromhex(f"41{digit}0000000000000") for digit in "12")
    variables = [("USUBJID", "char", 2, ""), ("AESEQ", "num", 8, ""), ("AESTDY", "num", 8, "")]
    events = xpt_member(variables, [b"S1" + one + one, b"S1" + two + one])
    (tmp_path / "ae.xpt").write_bytes(xpt_library() + events)
    widths = (("RDOMAIN", 2), ("USUBJID", 2), ("IDVAR", 8), ("IDVARVAL", 12), ("QNAM", 8))
    qualifiers = [(name, "char", width, "") for name, width in (*widths, ("QVAL", 1))]
    row = f"AES1AESEQ   {written:<12}AESOSP  Y".encode()
    (tmp_path / "supp.xpt").write_bytes(xpt_library() + xpt_member(qualifiers, [row]))
    formats = {
        "datasets.ae.file": "ae.xpt",
        "datasets.ae.format": "xpt",
        "datasets.ae.columns": {},
        "datasets.supp.file": "supp.xpt",
        "datasets.supp.format": "xpt",
        "datasets.supp.columns": {},
    }
    trial = qualified(tmp_path, changes=formats)
    assert trial.feature("special") == {"S1": 1.0, "S2": 0.0}
    assert trial.rejects == []


def test_a_qualifier_of_another_domain_is_on_no_record(tmp_path: Path) -> None:
    rows = ["DM,S1,,,AESOSP,Y", "AE,S1,AESEQ,1,AESOSP,N", "DM,S2,AESEQ,1,AESOSP,Y"]
    trial = qualified(tmp_path, *rows)
    assert trial.feature("special") == {"S1": 0.0, "S2": 0.0}
    assert trial.counts["supp"] == {
        **{"rows_in": 3, "used": 1, "excluded": 2, "rejected": 0},
        "reasons": {},
    }


@pytest.mark.parametrize(
    ("name", "header", "changes"),
    [
        ("DOMAIN", "DOMAIN,USUBJID,AESPID,AESTDY", {}),
        ("keys", "X,USUBJID,AESEQ,AESTDY", {}),
        ("dataset", "X,USUBJID,AESPID,AESTDY", {}),
        ("key of the study file", "X,USUBJID,AESPID,AESTDY", {"datasets.ae.domain": "AE"}),
    ],
)
def test_the_domain_of_a_parent_is_known_by(
    tmp_path: Path, name: str, header: str, changes: Any
) -> None:
    assert name
    trial = qualified(
        tmp_path,
        "AE,S1,,,AESOSP,Y",
        "CM,S2,,,AESOSP,Y",
        changes=changes,
        ae=[header, "AE,S1,1,3", "AE,S2,1,4"],
    )
    assert trial.feature("special") == {"S1": 1.0, "S2": 0.0}


def with_unknown_domain(folder: Path, *rows: str, **changes: Any) -> Trial:
    events = {**CHANGES["datasets.ae"], "columns": CHANGES["datasets.ae"]["columns"]}
    moved = {
        "datasets.events": {**events, "columns": {**events["columns"], "AESOSP": {"type": "text"}}},
        "datasets.events.file": "events.csv",
        "datasets.supp.supplements": "events",
        "features.special.dataset": "events",
        **changes,
    }
    everything = {k: v for k, v in CHANGES.items() if not k.startswith("datasets.ae")} | moved
    return make_trial(
        folder,
        everything,
        supp=[",".join(NAMES), *rows],
        events=["USUBJID,AESTDY", "S1,3", "S2,4"],
    )


def test_several_domains_of_which_none_is_known_as_the_parents_are_refused(tmp_path: Path) -> None:
    rows = ["AE,S1,,,AESOSP,Y", "CM,S2,,,AESOSP,Y"]
    counts = with_unknown_domain(tmp_path, *rows).reading.counts
    (problem,) = (key[1] for key in counts if key[0] == "problems")
    assert problem.startswith("Dataset supp: its qualifiers are of several domains")
    assert "datasets.events.domain" in problem
    told = with_unknown_domain(tmp_path, *rows, **{"datasets.events.domain": "ae"})
    assert told.feature("special") == {"S1": 1.0, "S2": 0.0}


def test_qualifiers_of_one_domain_are_the_parents(tmp_path: Path) -> None:
    trial = with_unknown_domain(tmp_path, "AE,S1,,,AESOSP,Y", "AE,S2,,,AESOSP,N")
    assert trial.feature("special") == {"S1": 1.0, "S2": 0.0}


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("AE,S1,AESEQ,1,,Y", "QNAM", NO_NAME),
        ("AE,S1,,1,AESOSP,Y", "IDVAR", NO_IDVAR),
        ("AE,S1,AEWHAT,1,AESOSP,Y", "IDVAR", NO_IDVAR),
        ("AE,S1,AESEQ,,AESOSP,Y", "IDVARVAL", OF_NO_RECORD),
        ("AE,S9,AESEQ,1,AESOSP,Y", "USUBJID", "a subject that the subject dataset does not have"),
        ("AE,,AESEQ,1,AESOSP,Y", "USUBJID", "no subject key"),
    ],
)
def test_a_qualifier_that_lacks_what_it_needs_is_rejected(
    tmp_path: Path, row: str, column: str, reason: str
) -> None:
    trial = qualified(tmp_path, row, "AE,S2,AESEQ,1,AESOSP,Y")
    assert trial.feature("special") == {"S1": 0.0, "S2": 1.0}
    assert trial.rejects == [("supp", "supp.csv", 1, column, reason)]


def test_a_qualifier_of_a_subject_without_records_is_rejected(tmp_path: Path) -> None:
    trial = qualified(tmp_path, "AE,S2,,,AESOSP,Y", ae=[AE[0], AE[1]])
    assert trial.rejects == [("supp", "supp.csv", 1, "IDVARVAL", OF_NO_RECORD)]


@pytest.mark.parametrize("qualifiers", [(), ("AE,S2,,,AESOSP,Y",)])
def test_records_may_all_be_rejected(tmp_path: Path, qualifiers: tuple[str, ...]) -> None:
    trial = qualified(tmp_path, *qualifiers, ae=[AE[0], ",1,01,3"])
    assert trial.feature("special") == {"S1": 0.0, "S2": 0.0}
    assert trial.counts["ae"]["rejected"] == 1


def test_a_qualifier_without_a_value_says_nothing(tmp_path: Path) -> None:
    trial = qualified(tmp_path, "AE,S1,AESEQ,1,AESOSP,", "AE,S1,AESEQ,1,AESOSP,Y")
    assert trial.feature("special")["S1"] == 1.0
    assert trial.counts["supp"]["used"] == 2


def test_of_two_values_of_a_record_the_last_counts(tmp_path: Path) -> None:
    trial = qualified(tmp_path, "AE,S1,AESEQ,1,AESOSP,Y", "AE,S1,AESEQ,01,AESOSP,N")
    assert trial.feature("special")["S1"] == 0.0


rows = st.tuples(
    st.sampled_from(["AE", "ae", "DM", ""]),
    st.sampled_from(["S1", "S2", "S9", ""]),
    st.sampled_from(["AESEQ", "AESPID", "AEWHAT", ""]),
    st.sampled_from(["1", " 2", "01", "3", "x", ""]),
    st.sampled_from(["AESOSP", "OTHER", ""]),
    st.sampled_from(["Y", "N", ""]),
)


@given(st.lists(rows, max_size=8))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_qualifier_is_used_or_rejected_or_of_no_use(
    tmp_path: Path, found: list[tuple[str, ...]]
) -> None:
    trial = qualified(tmp_path, *map(",".join, found), "AE,S1,AESEQ,1,AESOSP,N")
    counts = trial.counts["supp"]
    assert counts["rows_in"] == len(found) + 1
    assert counts["used"] + counts["excluded"] + counts["rejected"] == counts["rows_in"]
    assert counts["rejected"] == len([r for r in trial.rejects if r[0] == "supp"])
    # Distinguished by hand: the records of the two subjects by number and by sponsor's key.
    records = {("S1", "1"): "01", ("S1", "2"): "A-2", ("S2", "1"): "01"}
    expected = {"S1": 0.0, "S2": 0.0}
    for subject, number in records:
        values: list[str | None] = [None, None, None]
        for domain, key, variable, value, name, content in [
            *found,
            ("AE", "S1", "AESEQ", "1", "AESOSP", "N"),
        ]:
            if domain == "DM" or key != subject or name != "AESOSP" or not content:
                continue
            if not variable and not value:
                values[0] = content
            if variable == "AESEQ" and value.strip().lstrip("0") == number:
                values[1] = content
            if variable == "AESPID" and value.strip() == records[subject, number]:
                values[2] = content
        expected[subject] += next((v for v in reversed(values) if v), None) == "Y"
    assert trial.feature("special") == expected
