"""What a whole run leaves is in the register of outputs, and its readers alone can open it."""

from __future__ import annotations

import stat
from pathlib import Path

from pipeline.outputs.register import people_facing, unregistered, written
from tests.each import each
from tests.whole_runs import Run


def test_every_file_of_a_run_is_in_the_register(first_run: Run) -> None:
    assert [path.relative_to(first_run.root) for path in unregistered(first_run.root)] == []


def test_a_file_is_one_output(first_run: Run) -> None:
    found = [path for _, path in written(first_run.root)]

    assert len(each(found)) == len(set(found))


def test_people_see_page_card_store_and_registry(first_run: Run) -> None:
    names = {output.name for output, _ in people_facing(first_run.root)}

    expected = {"page of a run", "model card", "store of a root", "verdict, metrics and curves"}
    assert names >= expected | {"audit trail", "record of a run", "analysis of the arms"}
    assert not names & {"examples", "log of a run", "statistics", "registered model"}


def test_no_output_can_be_read_by_another_account(first_run: Run) -> None:
    opened = [path for _, path in each(written(first_run.root)) if _others(path)]

    assert opened == []


def _others(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode) & 0o077
