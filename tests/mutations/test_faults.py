"""The list of faults fits the code: each can be put back, and its tests exist."""

from __future__ import annotations

import pytest

from tests.each import each
from tests.mutations.faults import Fault, load_faults
from tests.whole_runs import REPOSITORY

FAULTS = load_faults()


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_fault_can_be_put_back(fault: Fault) -> None:
    text = (REPOSITORY / fault.file).read_text(encoding="utf-8")

    assert text.count(fault.mended) == 1
    assert fault.mended != fault.fault
    assert all((REPOSITORY / test.partition("::")[0]).exists() for test in each(fault.tests))


def test_names_are_different() -> None:
    names = [fault.name for fault in FAULTS]

    assert len(names) > 10
    assert len(set(names)) == len(names)
