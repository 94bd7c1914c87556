"""What follows from counts."""

from __future__ import annotations

import pytest

from tests.attacker.finds import View, find_subjects
from tests.attacker.solver import Solver
from tests.attacker.statements import Box, Form, Table, count, share

TABLE = Table.of(
    {"arm": ["A"] * 12 + ["P"] * 10, "race": ["W"] * 11 + ["B"] * 1 + ["W"] * 4 + ["B"] * 6}
)
BOTH = Box.of({"arm": "A", "race": "B"})
BLACK, A = Box.of({"race": "B"}), Box.of({"arm": "A"})


def test_a_part_follows_from_the_whole_and_the_other_part() -> None:
    told = [count(A, 12, "arms"), count(Box.of({"arm": "A", "race": "W"}), 11, "race")]
    assert Solver(TABLE, told).is_determined(Form.size(BOTH))
    assert not Solver(TABLE, told[:1]).is_determined(Form.size(BOTH))


def test_a_rounded_number_leaves_more_than_one() -> None:
    told = [count(A, 12, "arms"), count(Box.of({"arm": "A", "race": "W"}), 10, "race", within=2)]
    assert not Solver(TABLE, told).is_determined(Form.size(BOTH))


def test_a_share_with_all_digits_gives_its_fraction_away() -> None:
    told = [*share(BOTH, BLACK, 1 / 7, "share"), count(Box(), 22, "subjects"), count(A, 12, "arms")]
    solver = Solver(TABLE, told)
    # 2/14 would need fourteen of whom two are in A: there are ten in P.
    assert solver.is_determined(Form.size(BOTH))


def test_a_rounded_share_fits_several_fractions() -> None:
    told = [
        *share(BOTH, BLACK, 0.1, "share", within=0.05),
        count(Box(), 22, "subjects"),
        count(A, 12, "arms"),
    ]
    assert not Solver(TABLE, told).is_determined(Form.size(BLACK))


def test_a_statement_that_is_not_true_is_refused() -> None:
    with pytest.raises(AssertionError, match="the true value is 12"):
        Solver(TABLE, [count(A, 11, "arms")])


def test_the_one_subject_of_a_value_in_an_arm_is_found_by_subtraction() -> None:
    told = [count(A, 12, "arms"), count(Box.of({"arm": "A", "race": "W"}), 11, "race")]
    found = find_subjects(TABLE, told, View(("race",)), smallest=5)
    assert [(find.kind, find.what, find.number) for find in found] == [
        ("size", "arm A & race B", 1),
    ]
    assert find_subjects(TABLE, told[:1], View(("race",)), smallest=5) == []
