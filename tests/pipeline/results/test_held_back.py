"""Documents of a run whose numbers are held back."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.estimates import Estimate
from pipeline.observability.lines import is_own
from pipeline.results.counts import Counts, DatasetCounts, LabelCounts
from pipeline.results.documents import Metrics, NotJudged, Verdict, read_result
from pipeline.results.findings import Finding, log_findings
from pipeline.results.held_back import (
    held_findings,
    held_metrics,
    held_verdict,
    read_counts,
)
from pipeline.results.judged import Judged
from pipeline.results.release import RELEASE_FILE, EarlierRelease, Release, read_release
from pipeline.results.task_verdicts import TaskVerdict
from pipeline.titles import NAMES
from tests.each import each

RELEASE = Release(
    smallest_group=20, earlier=EarlierRelease(shown="2026-11-29 04:00", data="3fa9c1d2e4b5")
)
EXACT = 731
"""A number of subjects that must not be shown."""

BEYOND = Judged(
    reason="beyond_limit",
    task="death",
    slice={"site": "06"},
    metric="auc",
    side="at_least",
    limit=0.65,
    estimate=Estimate(0.731, 0.5, 0.8),
)
VERDICT = Verdict(
    blessed=True,
    judged=True,
    compared=EXACT,
    comparisons=(),
    tasks={
        "death": TaskVerdict(verdict="refused", reasons=(BEYOND,)),
        "relapse": TaskVerdict(verdict="blessed"),
    },
    reasons=(),
    not_judged=(NotJudged(slice={"site": "06"}, task="death"),),
    notes=(
        Judged(reason="first_run"),
        Judged(reason="compared_on_test", values={"compared": EXACT, "new": 0, "left_out": 0}),
    ),
)


def test_a_verdict_keeps_its_decisions_without_a_number_or_a_group() -> None:
    held = held_verdict(VERDICT, RELEASE)
    assert (held.blessed, held.judged, held.decision) == (True, True, VERDICT.decision)
    assert {task: found.verdict for task, found in held.tasks.items()} == {
        "death": "refused",
        "relapse": "blessed",
    }
    assert not re.search(r"731|06", held.model_dump_json())
    assert held.reason_texts(NAMES) == ("death: why is held back with the numbers of this run.",)


def test_a_verdict_says_first_which_release_is_read_in_its_place() -> None:
    notes = held_verdict(VERDICT, RELEASE).note_texts(NAMES)
    assert notes[0] == RELEASE.sentence
    assert notes[1] == "No champion: no model has been blessed before."
    assert len(notes) == 2


def test_metrics_are_those_of_no_group() -> None:
    metrics = Metrics(smallest_group=20, records=(), suppressed=())
    held = held_metrics(metrics, ["death", "relapse"])
    assert held.records == ()
    assert [(item.task, item.slice) for item in held.suppressed] == [("death", {}), ("relapse", {})]


def test_findings_are_one_for_each_rule_and_severity() -> None:
    found = [
        Finding(rule="drift", severity="warn", message=f"{EXACT}", feature="AGE", value=0.731),
        Finding(rule="drift", severity="warn", message="of SEX", feature="SEX"),
        Finding(rule="rejects", severity="ok", message="731 rows", value=EXACT),
    ]
    held = held_findings(found)
    assert [(item.rule, item.severity) for item in held] == [("drift", "warn"), ("rejects", "ok")]
    for item in each(held):
        assert not re.search("731|AGE|SEX", item.model_dump_json())


def test_exact_findings_are_for_the_log_that_the_owner_reads_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = [Finding(rule="drift", severity="warn", message=f"{EXACT} subjects")]
    for recorded in (True, False):
        log_findings(logging.getLogger("components.data_gate.executor"), found, recorded)
    shown, held = caplog.records
    assert is_own(shown)
    assert hasattr(shown, "findings")
    assert not is_own(held)
    assert not hasattr(held, "findings")
    assert f"{EXACT} subjects" in held.getMessage()


@pytest.mark.parametrize("is_held", [True, False])
def test_counts_are_read_as_the_release_says(tmp_path: Path, is_held: bool) -> None:
    counts = Counts(
        datasets={"dm": DatasetCounts(rows_in=EXACT, used=EXACT, excluded=0, rejected=0)},
        subjects={"train": EXACT},
        tasks={"death": {"train": LabelCounts(known=EXACT, positives=9)}},
    )
    release = RELEASE if is_held else Release(smallest_group=20)
    (tmp_path / "counts.json").write_text(counts.model_dump_json())
    (tmp_path / RELEASE_FILE).write_text(release.model_dump_json())
    assert read_result(Counts, str(tmp_path)) == counts
    found = read_counts(str(tmp_path))
    assert found == (Counts(datasets={}, subjects={}, tasks={"death": {}}) if is_held else counts)


def test_a_run_without_a_file_is_shown_and_a_damaged_one_stops(tmp_path: Path) -> None:
    assert not read_release(str(tmp_path)).is_held_back
    (tmp_path / RELEASE_FILE).write_text("{")
    with pytest.raises(UserError, match=RELEASE_FILE):
        read_release(str(tmp_path))


def test_numbers_that_are_shown_have_no_sentence() -> None:
    assert Release(smallest_group=20).sentence == ""
    assert "fewer than 20 subjects" in RELEASE.sentence
