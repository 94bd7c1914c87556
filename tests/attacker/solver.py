"""What follows from statements: bounds of integer programs, solved by HiGHS."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

from tests.attacker.statements import Counts, Form, Statement, Table

_INFEASIBLE, _SOLVED = 2, 0
_SECONDS = 20.0
_TOLERANCE = 1e-6


class Solver:
    """Integer tables that agree with all statements, over the attributes of a table.

    A form is determined if it has the same value in all of them. The true table is one of them, so
    a form is not determined once another one with another value is known: each table that is found
    answers many questions.

    Args:
        truth: The true table, over the attributes that are looked at. It only spares the attacker
            work: that it agrees with all statements is checked.
        statements: All statements; those of further attributes are left out.

    Raises:
        AssertionError: A statement is not true of the true table: it was read wrongly.
    """

    def __init__(self, truth: Table, statements: Iterable[Statement]) -> None:
        self._table = truth
        known = [s for s in statements if s.form.attributes <= truth.domains.keys()]
        self.statements = list(dict.fromkeys(known))
        rows = np.array([truth.row(s.form) for s in self.statements])
        self._rows = rows.reshape(-1, len(truth.cells))
        self._lower = np.array([s.lower for s in self.statements])
        self._upper = np.array([s.upper for s in self.statements])
        for statement, value in zip(self.statements, self._rows @ truth.sizes, strict=True):
            agrees = statement.lower - _TOLERANCE <= value <= statement.upper + _TOLERANCE
            assert agrees, f"{statement} is not true: the true value is {value}"
        self._found = [truth.sizes]

    def is_determined(self, form: Form) -> bool:
        """Whether a form has its true value in every table that agrees with the statements."""
        row = self._table.row(form)
        value = float(row @ self._found[0])
        if any(abs(row @ other - value) > 0.5 for other in self._found[1:]):
            return False
        return not (self._can_be(row, value + 1, np.inf) or self._can_be(row, -np.inf, value - 1))

    def _can_be(self, row: Counts, lower: float, upper: float) -> bool:
        """Looks for a table in which a form is within bounds, and keeps it."""
        answer = milp(
            np.zeros(len(row)),
            integrality=np.ones(len(row)),
            bounds=Bounds(0, np.inf),
            constraints=LinearConstraint(
                csr_matrix(np.vstack([self._rows, row])),
                [*self._lower, lower],
                [*self._upper, upper],
            ),
            options={"time_limit": _SECONDS},
        )
        if answer.status == _INFEASIBLE:
            return False
        assert answer.status == _SOLVED, f"not decided: {answer.message}"
        self._found.append(np.round(answer.x))
        return True
