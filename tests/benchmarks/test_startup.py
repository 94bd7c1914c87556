"""Starts of two checkouts are measured in turn and compared pair by pair."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.startup import HELP, Checkout, Start, measure_pairs, report


def test_the_checkouts_take_turns_and_the_first_pair_does_not_count() -> None:
    order: list[str] = []

    def start(name: str) -> Start:
        order.append(name)
        return Start(float(len(order)), 0.0)

    pairs = measure_pairs(lambda: start("other"), lambda: start("ours"), 2)

    assert order == ["other", "ours", "ours", "other", "other", "ours"]
    assert pairs == [(Start(4.0, 0.0), Start(3.0, 0.0)), (Start(5.0, 0.0), Start(6.0, 0.0))]


def test_the_table_has_the_median_of_the_ratios_of_pairs() -> None:
    slow, fast = Start(4.0, 2.0), Start(1.0, 1.0)
    text = report({HELP: [(slow, fast), (fast, fast), (slow, Start(2.0, 3.0))]})

    assert "| wall time, s | 1.00 / 4.00 / 4.00 | 1.00 / 1.00 / 2.00 | 0.50 |" in text
    assert "| processor time, s | 1.00 / 2.00 / 2.00 | 1.00 / 1.00 / 3.00 | 1.00 |" in text


@pytest.mark.parametrize(
    ("has_trial", "started"),
    [(True, ["-m", "pipeline.cli", "run"]), (False, ["-m", "pipeline.local_runner"])],
)
def test_a_checkout_without_trial_is_started_by_its_module(
    tmp_path: Path, has_trial: bool, started: list[str]
) -> None:
    (tmp_path / "pipeline" / ("cli" if has_trial else "old")).mkdir(parents=True)

    command = Checkout(tmp_path, tmp_path).command("--help")

    assert command[1:] == [*started, "--help"]
