"""Messages on data that leave no subject or no label."""

from __future__ import annotations

from typing import Any

import pytest

from components.trial_example_gen.checks import check_subjects
from pipeline.errors import UserError
from pipeline.results.counts import Counts, DatasetCounts
from tests.components.trial_example_gen.hand_made_trial import hand_made_study

SECOND_ROW = "more than one row for a subject where one is due"


def refusal(subjects: dict[str, int], **rows: Any) -> str:
    counts = Counts(
        datasets={"dm": DatasetCounts(**{"used": 0, "excluded": 0, "rejected": 0, **rows})},
        subjects=subjects,
        tasks={},
    )
    with pytest.raises(UserError) as caught:
        check_subjects(hand_made_study(), counts)
    return str(caught.value)


def test_rows_that_were_all_rejected_as_second_ones_are_the_reason_that_is_named() -> None:
    reasons = {SECOND_ROW: 8}
    assert refusal({}, rows_in=8, rejected=8, reasons=reasons) == (
        f"No subject is left: of 8 rows of dm, 8 were rejected ({SECOND_ROW}: 8) and 0 excluded by "
        "`population` and `window`. A subject has several rows: check the subject key "
        "(`subject.column`), name a dataset with one row per subject, or say `collapse: true` "
        "where the rows only repeat each other."
    )


def test_excluded_subjects_are_the_reason_that_is_named() -> None:
    assert refusal({}, rows_in=8, excluded=8) == (
        "No subject is left: of 8 rows of dm, 0 were rejected and 8 excluded by `population` and "
        "`window`. Check `population` and `window`."
    )


def test_a_split_without_subjects_is_named_with_where_they_went() -> None:
    reasons = {SECOND_ROW: 4}
    found = refusal({"train": 3, "eval": 1}, rows_in=8, used=4, rejected=4, reasons=reasons)
    assert found.startswith(
        f"No subject is in split test: 4 are left: of 8 rows of dm, 4 were rejected ({SECOND_ROW}: "
        "4) and 0 excluded by `population` and `window`. A subject has several rows"
    )
    assert found.endswith("enlarge its share in `split`, or add subjects.")
