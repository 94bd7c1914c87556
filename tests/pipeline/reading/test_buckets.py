"""Rows on their way through Beam: what meets in a bucket, and how many rows travel together."""

from __future__ import annotations

from collections import defaultdict

import pyarrow as pa
import pytest

from pipeline.reading import buckets
from pipeline.reading.buckets import SUBJECT, Bucketed, ToBuckets, number_of_buckets, tables_of

MEGABYTE = 2**20


def _rows(*subjects: str) -> pa.Table:
    return pa.table({SUBJECT: list(subjects), "AVAL": [float(len(s)) for s in subjects]})


def _subjects(pieces: list[Bucketed]) -> dict[int, dict[str, list[str]]]:
    """Subjects by bucket and dataset."""
    payloads = defaultdict(list)
    for bucket, piece in pieces:
        payloads[bucket].append(piece)
    return {
        bucket: {
            dataset: pa.concat_tables(tables)[SUBJECT].to_pylist()
            for dataset, tables in tables_of(found).items()
        }
        for bucket, found in payloads.items()
    }


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, 1), (8 * MEGABYTE - 1, 1), (8 * MEGABYTE, 2), (80 * MEGABYTE, 11), (2**50, 4096)],
)
def test_there_is_a_bucket_for_each_8_mb_of_input_up_to_4096(size: int, expected: int) -> None:
    assert number_of_buckets(size) == expected


def test_rows_of_a_subject_meet_in_one_bucket_whatever_their_dataset() -> None:
    first, second = ToBuckets(7), ToBuckets(7)
    pieces = [*first.add("adae", _rows("a", "b", "a")), *first.rest()]
    pieces += [*second.add("adlb", _rows("b", "c", "a")), *second.rest()]

    places = defaultdict(set)
    for bucket, datasets in _subjects(pieces).items():
        for dataset, subjects in datasets.items():
            for subject in subjects:
                places[subject].add((bucket, dataset, subjects.count(subject)))
    assert all(len({bucket for bucket, _, _ in found}) == 1 for found in places.values())
    assert {found[1:] for found in places["a"]} == {("adae", 2), ("adlb", 1)}
    assert {found[1:] for found in places["c"]} == {("adlb", 1)}


@pytest.mark.parametrize("number", [1, 2])
def test_rows_wait_until_they_are_many(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "_ROWS_TOGETHER", 3)
    to_buckets = ToBuckets(number)

    assert not list(to_buckets.add("adae", _rows("a", "a")))
    assert not list(to_buckets.add("adlb", _rows("a")))
    [(_, (dataset, _))] = to_buckets.add("adae", _rows("a"))
    [(_, (later, _))] = to_buckets.rest()

    assert (dataset, later) == ("adae", "adlb")
    assert not list(to_buckets.rest())


def test_no_rows_go_to_no_bucket_of_several() -> None:
    to_buckets = ToBuckets(5)
    assert [*to_buckets.add("ae", _rows().cast(_rows("S1").schema)), *to_buckets.rest()] == []
