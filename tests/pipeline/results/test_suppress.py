import itertools
import sys
from collections import Counter
from types import FrameType
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.results.linear_sums import determined_unknowns
from pipeline.results.suppress import empty_of_small, suppressed
from tests.pipeline.results.dense_suppression import suppressed_densely

SMALLEST = 20
SLICINGS = [(), ("sex",), ("arm",), ("sex", "arm")]


def group(**values: Any) -> Any:
    return tuple(values.items())


def test_groups_of_the_smallest_size_are_shown() -> None:
    sizes = {(): 40, group(sex="F"): 20, group(sex="M"): 20}

    assert suppressed(sizes, SLICINGS, SMALLEST) == {}


def test_a_lone_small_group_takes_the_next_smallest_with_it() -> None:
    sizes = {
        (): 205,
        group(race="A"): 5,
        group(race="B"): 50,
        group(race="C"): 70,
        group(race="D"): 80,
    }

    assert suppressed(sizes, [(), ("race",)], SMALLEST) == {
        group(race="A"): "too_small",
        group(race="B"): "complementary",
    }


def test_two_small_groups_that_are_small_together_take_a_third_with_them() -> None:
    sizes = {(): 108, group(race="A"): 3, group(race="B"): 5, group(race="C"): 100}

    assert suppressed(sizes, [(), ("race",)], SMALLEST) == {
        group(race="A"): "too_small",
        group(race="B"): "too_small",
        group(race="C"): "complementary",
    }


def test_two_small_groups_that_are_large_together_need_no_third() -> None:
    sizes = {(): 130, group(race="A"): 12, group(race="B"): 18, group(race="C"): 100}

    assert suppressed(sizes, [(), ("race",)], SMALLEST) == {
        group(race="A"): "too_small",
        group(race="B"): "too_small",
    }


def test_few_subjects_without_a_value_of_the_slicing_can_not_be_had_by_subtraction() -> None:
    sizes = {(): 104, group(sex="F"): 40, group(sex="M"): 60}

    assert suppressed(sizes, SLICINGS, SMALLEST) == {group(sex="F"): "complementary"}


def test_a_group_that_is_shown_already_stays_and_a_larger_one_goes() -> None:
    sizes = {(): 205, group(race="A"): 5, group(race="B"): 50, group(race="C"): 150}

    hidden = suppressed(sizes, [(), ("race",)], SMALLEST, shown=[group(race="B")])

    assert hidden == {group(race="A"): "too_small", group(race="C"): "complementary"}


def test_a_small_cell_of_a_pair_is_protected_from_both_margins() -> None:
    sizes = {
        (): 210,
        group(sex="F"): 100,
        group(sex="M"): 110,
        group(arm="A"): 85,
        group(arm="B"): 125,
        group(sex="F", arm="A"): 5,
        group(sex="F", arm="B"): 95,
        group(sex="M", arm="A"): 80,
        group(sex="M", arm="B"): 30,
    }

    hidden = suppressed(sizes, SLICINGS, SMALLEST)

    assert {cell for cell in hidden if len(cell) == 2} == {cell for cell in sizes if len(cell) == 2}
    assert hidden[group(sex="F", arm="A")] == "too_small"


def test_when_all_subjects_are_too_few_nothing_is_shown() -> None:
    sizes = {(): 15, group(sex="F"): 8, group(sex="M"): 7}

    assert suppressed(sizes, SLICINGS, SMALLEST) == dict.fromkeys(sizes, "too_small")


subjects = st.lists(
    st.tuples(
        st.sampled_from(["", "F", "M", "U"]),
        st.sampled_from(["", "A", "B", "C"]),
        st.integers(1, 60),
    ),
    min_size=1,
    max_size=16,
)


def tabulated(rows: Any) -> Any:
    sizes: Counter[tuple[tuple[str, str], ...]] = Counter()
    for sex, arm, count in rows:
        values = {"sex": sex, "arm": arm}
        for slicing in SLICINGS:
            if all(values[name] for name in slicing):
                sizes[tuple((name, values[name]) for name in slicing)] += count
    return dict(sizes)


def atoms_of(rows: Any, sizes: Any) -> Any:
    """Combinations that may exist: pairs that are not listed are known to be empty."""
    sexes = {sex for sex, _, _ in rows}
    arms = {arm for _, arm, _ in rows}
    return [
        (sex, arm)
        for sex, arm in itertools.product(sorted(sexes), sorted(arms))
        if not (sex and arm) or group(sex=sex, arm=arm) in sizes
    ]


def member(atom: Any, cell: Any) -> Any:
    values = dict(zip(("sex", "arm"), atom, strict=True))
    return all(values[name] == value for name, value in cell)


@settings(max_examples=150)
@given(subjects)
def test_no_suppressed_group_below_the_smallest_size_follows_from_what_is_shown(rows: Any) -> None:
    """The attacker knows which combinations of values may exist and solves for their counts."""
    sizes = tabulated(rows)
    hidden = suppressed(sizes, SLICINGS, SMALLEST)
    atoms = atoms_of(rows, sizes)
    known = [cell for cell in sizes if cell not in hidden]
    system = np.array([[float(member(atom, cell)) for atom in atoms] for cell in known])
    for cell, reason in hidden.items():  # may be empty
        if reason == "too_small" and known:
            wanted = np.array([float(member(atom, cell)) for atom in atoms])
            solution = np.linalg.lstsq(system.T, wanted, rcond=None)[0]
            assert np.abs(system.T @ solution - wanted).max() > 1e-6


@settings(max_examples=150)
@given(subjects)
def test_what_is_left_of_a_shown_whole_is_nothing_or_large_enough(rows: Any) -> None:
    sizes = tabulated(rows)
    hidden = suppressed(sizes, SLICINGS, SMALLEST)
    for whole, slicing in [((), ("sex",)), ((), ("arm",))]:
        parts = [cell for cell in sizes if tuple(name for name, _ in cell) == slicing]
        left = sizes[whole] - sum(sizes[part] for part in parts if part not in hidden)
        all_hidden = all(part in hidden for part in parts)
        if whole not in hidden and not all_hidden:
            assert left == 0 or left >= SMALLEST


tables = st.lists(
    st.tuples(
        st.fixed_dictionaries({name: st.sampled_from(["", "1", "2", "3"]) for name in "abc"}),
        st.sampled_from([0, 1, 5, 12, 19, 20, 40, 70]),
    ),
    min_size=1,
    max_size=20,
)
pairs = st.sets(st.sampled_from([("a", "b"), ("a", "c"), ("b", "c")]))


@settings(max_examples=200)
@given(tables, pairs, st.randoms(use_true_random=False))
def test_the_same_groups_are_suppressed_as_by_the_whole_system(
    rows: Any, chosen: Any, randoms: Any
) -> None:
    slicings = [(), ("a",), ("b",), ("c",), *sorted(chosen)]
    sizes: Counter[Any] = Counter()
    for values, count in rows:
        for slicing in slicings:
            if all(values[name] for name in slicing):
                sizes[tuple((name, values[name]) for name in slicing)] += count
    shown = [cell for cell, size in sorted(sizes.items()) if size >= 20 and randoms.random() < 0.2]
    expected = suppressed_densely(sizes, slicings, SMALLEST, shown)
    assert suppressed(sizes, slicings, SMALLEST, shown) == expected


systems = st.lists(
    st.dictionaries(st.integers(0, 7), st.sampled_from([1, -1]), min_size=1, max_size=4),
    min_size=1,
    max_size=8,
)


@settings(max_examples=200)
@given(systems)
def test_an_unknown_is_determined_if_it_is_a_combination_of_the_equations(rows: Any) -> None:
    matrix = np.array([[row.get(unknown, 0) for unknown in range(8)] for row in rows], float)
    rank = np.linalg.matrix_rank(matrix)
    used = {unknown for row in rows for unknown in row}
    expected = {
        unknown
        for unknown in used
        if np.linalg.matrix_rank(np.vstack([matrix, np.eye(8)[unknown]])) == rank
    }
    assert determined_unknowns(rows) == expected


def calls_to_suppress(levels: int) -> int:
    """Calls of functions that groups by arm and a slicing with many levels cost."""
    sizes: Counter[Any] = Counter()
    for level, arm in itertools.product(range(levels), "AB"):
        for cell in (group(arm=arm, level=level), group(arm=arm), group(level=level), ()):
            sizes[cell] += (1, 5, 30, 100)[(level * 7 + (arm == "A") * level // 3) % 4]
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        hidden = suppressed(sizes, [(), ("level",), ("arm",), ("arm", "level")], SMALLEST)
    finally:
        sys.setprofile(None)
    assert len(hidden) > levels
    return calls


def test_four_times_the_levels_cost_about_four_times_the_work() -> None:
    assert calls_to_suppress(1000) < 6 * calls_to_suppress(250)


def test_empty_cells_of_small_groups_count_nothing_in_a_total() -> None:
    """16 races of one subject each: from those of women and of white women 8 would follow."""
    races = [f"race {number}" for number in range(16)]
    sizes = {(): 216, group(sex="F"): 108, group(sex="M"): 108, group(race="W"): 200}
    sizes |= {group(race="W", sex=sex): 100 for sex in "FM"}
    for number, race in enumerate(races):
        sizes |= {group(race=race): 1, group(race=race, sex="FM"[number % 2]): 1}
    slicings = [(), ("sex",), ("race",), ("race", "sex")]

    found = suppressed(sizes, slicings, 10, empty=empty_of_small(sizes, slicings, 10))

    assert {group(race="W", sex="F"), group(race="W", sex="M")} <= found.keys()


def test_what_is_suppressed_beside_a_lone_subject_is_the_same_wherever_it_is() -> None:
    patterns = []
    for arm in "AB":
        sizes = {(): 201, group(race="W"): 120, group(race="B"): 80, group(race="X"): 1}
        sizes |= {group(race="W", arm=of): 60 for of in "AB"}
        sizes |= {group(race="B", arm=of): 40 for of in "AB"}
        sizes |= {group(arm=of): 100 + (of == arm) for of in "AB"}
        sizes[group(race="X", arm=arm)] = 1
        slicings = [(), ("race",), ("arm",), ("race", "arm")]
        empty = empty_of_small(sizes, slicings, 20)
        patterns.append(suppressed(sizes, slicings, 20, empty=empty).keys())

    assert patterns[0] == patterns[1]
