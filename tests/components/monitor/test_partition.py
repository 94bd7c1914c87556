"""Sums of subjects, and that Beam adds the same ones up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.monitor.graph import add_up, dealt, read_sums, remove_sums
from components.monitor.partition import Key, Plan, partition_tallies
from pipeline.monitoring.tallies import Tally, merged
from pipeline.predictions.log import Batch
from pipeline.predictions.outcomes import RecordedCut
from pipeline.predictions.parquet_log import ParquetLog
from pipeline.predictions.rows import Occasion
from tests.components.monitor.hand_made_log import (
    CHALLENGER,
    CHAMPION,
    MARCH,
    outcomes,
    predictions,
)

PLAN = Plan(CHAMPION, "month", {"sex": "SEX"}, {})
WOMAN, MAN = {"SEX": "F", "AGE": "3"}, {"SEX": "M", "AGE": None}
MAY = datetime(2026, 5, 4, tzinfo=UTC)
START = date(2026, 3, 1)


def sums(made: Sequence[pa.Table], known: Sequence[pa.Table] = ()) -> dict[Key, Tally]:
    return dict(partition_tallies(made, known, PLAN))


def numbers(found: dict[Key, Tally], what: str) -> dict[tuple[tuple[str, str], ...], float]:
    return {
        key.group: sum(float(vector[0]) for vector in tally.sums.values())
        for key, tally in found.items()
        if key.what == what
    }


def test_subjects_are_counted_by_group_and_flag() -> None:
    found = sums(
        [
            predictions(
                [0.1, 0.2, 0.3],
                [WOMAN, WOMAN, MAN],
                flags=[["out_of_range:AGE", "out_of_range:BMI"], ["missing_value:AGE"], []],
            )
        ]
    )

    assert numbers(found, "use") == {
        (): 3,
        (("sex", "F"),): 2,
        (("sex", "M"),): 1,
        (("flag", "any"),): 2,
        (("flag", "out_of_range"),): 1,
        (("flag", "missing_value"),): 1,
    }


def test_of_a_subject_the_first_prediction_of_a_period_counts() -> None:
    again = [predictions([0.1], WOMAN), predictions([0.9], WOMAN, MARCH + timedelta(days=3))]
    later = predictions([0.9], WOMAN, MARCH + timedelta(days=40))

    found = sums([*again, later])

    months = {
        key.start: [float(v[1]) for v in tally.sums.values()]
        for key, tally in found.items()
        if key.what == "use" and not key.group
    }
    assert months == {START: [np.float32(0.1)], date(2026, 4, 1): [np.float32(0.9)]}


def test_inputs_are_counted_once_for_all_tasks_with_missing_ones() -> None:
    both = [predictions([0.1, 0.2], [WOMAN, MAN], task=task) for task in ("death", "stroke")]

    found = sums(both)

    ages = found[Key("input", CHAMPION, "", START, (("AGE", ""),))].sums
    assert {name: float(vector[0]) for name, vector in ages.items()} == {"3": 1, None: 1}


def test_each_request_without_a_pseudonym_counts() -> None:
    table = predictions([0.1, 0.1, 0.1], WOMAN)
    nameless = table.set_column(
        table.schema.get_field_index("subject_hash"), "subject_hash", pa.nulls(3, pa.string())
    )

    found = sums([nameless])

    assert numbers(found, "use")[()] == 3
    assert numbers(found, "input")[(("SEX", ""),)] == 3


def test_who_is_censored_has_no_outcome() -> None:
    found = sums(
        [predictions([0.1, 0.2, 0.3], WOMAN)], [outcomes([1, None, 0], MAY, weights=[1.5, 0, 1])]
    )

    assert numbers(found, "outcome")[()] == 2
    (delays,) = (tally for key, tally in found.items() if key.what == "delay")
    assert {day: float(vector[0]) for day, vector in delays.sums.items()} == {55: 2}


def since(cuts: Sequence[pa.Table], days: dict[str, int]) -> dict[datetime | None, float]:
    """Subjects with the outcome, and without it, by the cut that they count since."""
    plan = Plan(CHAMPION, "month", {}, days)
    return {
        key.recorded: sum(float(vector[0]) for vector in tally.sums.values())
        for key, tally in partition_tallies([predictions([0.1, 0.2, 0.3], WOMAN)], cuts, plan)
        if key.what == "outcome"
    }


def test_an_event_waits_for_the_cut_in_which_its_follow_up_is_complete() -> None:
    """The horizon is the 19th of April: no outcome counts in the cuts of that day and before it."""
    early = [
        outcomes([1, None, None], moment)
        for moment in (MARCH + timedelta(days=5), MARCH + timedelta(days=40, hours=23))
    ]
    complete = outcomes([1, 0, None], MARCH + timedelta(days=41))
    late = outcomes([1, 0, 0], MAY)

    assert since(early, {"death": 40}) == {}
    assert since([*early, complete], {"death": 40}) == {MARCH + timedelta(days=41): 2}
    assert since([late, complete, *early], {"death": 40}) == {
        MARCH + timedelta(days=41): 2,
        MAY: 1,
    }


def test_an_outcome_without_a_horizon_counts_from_its_first_cut() -> None:
    first = MARCH + timedelta(days=5)

    assert since([outcomes([1, 0, 0], first), outcomes([1, 0, 0], MAY)], {}) == {first: 3}


def test_a_subject_who_is_predicted_every_week_counts_in_one_week() -> None:
    weeks = [
        predictions([0.1, 0.2], WOMAN, MARCH + timedelta(weeks=number), task=task)
        for number in range(3)
        for task in ("death", "stroke")
    ]

    found = sums(weeks)

    weekly = {key for key in found if key.what in ("risks", "inputs")}
    assert {key.start for key in weekly} == {date(2026, 3, 9)}
    assert numbers(found, "inputs")[(("SEX", ""),)] == 2


def test_a_pair_is_a_subject_whom_both_models_predicted() -> None:
    found = sums(
        [predictions([0.1, 0.2, 0.3], WOMAN), predictions([0.2, 0.3], WOMAN, model=CHALLENGER)],
        [outcomes([1, 0, 0], MAY)],
    )

    (pair,) = (key for key in found if key.what == "pair")
    assert (pair.model, pair.recorded) == (CHALLENGER, MAY)
    assert sum(float(vector[-1]) for vector in found[pair].sums.values()) == 2


def test_a_key_survives_its_text() -> None:
    key = Key("outcome", CHAMPION, "death", START, (("sex", "F"),), MAY)

    assert Key.of_text(key.to_text()) == key


def test_two_parts_of_the_subjects_add_up_to_the_whole() -> None:
    made, known = drawn(seed=1, subjects=8)

    def part(tables: Sequence[pa.Table], is_first: bool) -> list[pa.Table]:
        return [
            table.filter(
                pa.array([(of < "s4") == is_first for of in table["subject_hash"].to_pylist()])
            )
            for table in tables
        ]

    parts = [sums(part(made, is_first), part(known, is_first)) for is_first in (True, False)]
    assert_same(added(parts), sums(made, known))


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), subjects=st.integers(1, 30))
def test_partitions_of_subjects_add_up_to_the_whole(seed: int, subjects: int) -> None:
    made, known = drawn(seed, subjects)
    parts: dict[int, tuple[list[pa.Table], list[pa.Table]]] = {}
    for place, tables in enumerate((made, known)):
        for table in tables:
            for number, part in dealt(table):
                parts.setdefault(number, ([], []))[place].append(part)

    assert_same(added([sums(*of) for of in parts.values()]), sums(made, known))


@pytest.mark.slow
def test_beam_adds_the_same_up_from_a_log_and_leaves_nothing(tmp_path: Path) -> None:
    made, known = drawn(seed=3, subjects=40)
    log = ParquetLog(str(tmp_path / "log"))
    for number, table in enumerate(made):
        log.append(Batch(Occasion("pilot", "score", f"r{number}"), f"r{number}", START), [table])
    log.append_outcomes(RecordedCut("pilot", "cut", MAY), pa.concat_tables(known))
    folder = tmp_path / "monitoring"
    folder.mkdir()

    with beam.Pipeline() as root:
        add_up(root, str(tmp_path / "log"), "pilot", PLAN, str(folder))

    assert_same(read_sums(str(folder)), sums(made, known))
    remove_sums(str(folder))
    assert not any(folder.iterdir())


def drawn(seed: int, subjects: int) -> tuple[list[pa.Table], list[pa.Table]]:
    rng = np.random.default_rng(seed)
    people = [WOMAN if rng.random() < 0.5 else MAN for _ in range(subjects)]
    made = [
        predictions(rng.random(subjects), people, MARCH + timedelta(days=days), model=model)
        for days, model in ((0, CHAMPION), (0, CHALLENGER), (9, CHAMPION), (30, CHAMPION))
    ]
    known = [int(rng.random() < 0.3) if rng.random() < 0.8 else None for _ in range(subjects)]
    return made, [outcomes(known, MAY)]


def added(parts: Sequence[dict[Key, Tally]]) -> dict[Key, Tally]:
    keys = {key for part in parts for key in part}
    return {key: merged(part[key] for part in parts if key in part) for key in keys}


def assert_same(found: dict[Key, Tally], wanted: dict[Key, Tally]) -> None:
    assert found.keys() == wanted.keys() != set()
    for key, tally in wanted.items():
        assert found[key].sums.keys() == tally.sums.keys()
        for name, vector in tally.sums.items():
            np.testing.assert_allclose(found[key].sums[name], vector)
