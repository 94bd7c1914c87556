"""The imports of two locks are measured by their interpreters themselves."""

from __future__ import annotations

import pytest

from benchmarks.locks import main, measure_imports, table
from benchmarks.startup import Start
from pipeline.errors import UserError


def test_an_interpreter_that_fails_is_named_with_what_it_said() -> None:
    with pytest.raises(UserError, match="it ended with 3: no module named pipeline"):
        measure_imports(["sh", "-c", "echo no module named pipeline >&2; exit 3"])


def test_the_table_has_the_median_of_the_ratios_of_pairs() -> None:
    slow, fast = Start(4.0, 2.0), Start(1.0, 1.0)

    text = table(("tfx121", "tfx116"), [(slow, fast), (fast, fast), (Start(2.0, 3.0), fast)])

    assert "| imports of a run | tfx116 | tfx121 | tfx121 / tfx116 |" in text
    assert "| wall time, s | 1.00 / 1.00 / 1.00 | 1.00 / 2.00 / 4.00 | 2.00 |" in text
    assert "| processor time, s | 1.00 / 1.00 / 1.00 | 1.00 / 2.00 / 3.00 | 2.00 |" in text


def test_without_the_other_lock_nothing_is_measured(caplog: pytest.LogCaptureFixture) -> None:
    assert main([]) == 2
    assert "Name the command that starts the other lock's python." in caplog.text
