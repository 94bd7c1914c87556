"""What a person sees of stages and results."""

from __future__ import annotations

import io
import logging
import re
import sys

import pytest
from rich.console import Console

from pipeline.results.documents import MetricRecord
from pipeline.runners.local.display import RunDisplay, results_table, waiting
from tests.pipeline.runners.local.overall_metrics import overall


def _console() -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, width=120, highlight=False), text


def test_a_stage_that_is_over_is_one_line_with_what_it_does_and_its_seconds() -> None:
    console, text = _console()
    with RunDisplay(console).stage("Trainer"):
        pass
    [line] = text.getvalue().splitlines()
    shown, _, seconds = line.removesuffix(" s").rpartition(" ")
    assert shown == "✓ Trainer           trains and calibrates one model for all tasks"
    assert float(seconds) < 60


def test_a_cached_stage_says_so_in_place_of_its_seconds() -> None:
    console, text = _console()
    with RunDisplay(console).stage("Pusher") as stage:
        stage.cached = True
    assert text.getvalue().rstrip().endswith("from cache")


def test_a_stage_that_fails_is_marked_and_its_error_goes_on() -> None:
    console, text = _console()
    with pytest.raises(ValueError), RunDisplay(console).stage("DataGate"):
        raise ValueError
    assert text.getvalue().startswith("✗ DataGate")


def test_a_stage_that_is_interrupted_is_marked_as_failed() -> None:
    console, text = _console()
    with pytest.raises(KeyboardInterrupt), RunDisplay(console).stage("Trainer"):
        raise KeyboardInterrupt
    assert text.getvalue().startswith("✗ Trainer")


def test_a_stage_without_a_description_is_shown_by_its_name() -> None:
    console, text = _console()
    with RunDisplay(console).stage("Something"):
        pass
    assert text.getvalue().startswith("✓ Something")


def _lines(text: str) -> list[str]:
    """First words of the lines of ended stages."""
    return [line.split()[1] for line in text.splitlines() if line.startswith(("✓", "✗"))]


def test_lines_come_in_the_order_of_the_run_whichever_stage_ends_first() -> None:
    console, text = _console()
    display = RunDisplay(console)
    display.begin(["Trainer", "CrossFit", "ReferenceModels", "TrialEvaluator"])
    with display.stage("Trainer"):
        with display.stage("ReferenceModels", is_beside=True):
            pass
        assert _lines(text.getvalue()) == []
    assert _lines(text.getvalue()) == ["Trainer"]
    with display.stage("CrossFit"):
        pass
    assert _lines(text.getvalue()) == ["Trainer", "CrossFit", "ReferenceModels"]


def test_what_has_ended_beside_a_stage_that_never_ran_has_its_line_at_the_end() -> None:
    console, text = _console()
    display = RunDisplay(console)
    display.begin(["Trainer", "CrossFit", "ReferenceModels"])
    with display.stage("ReferenceModels", is_beside=True):
        pass
    with pytest.raises(ValueError), display.stage("Trainer"):
        raise ValueError
    display.finish()
    assert _lines(text.getvalue()) == ["Trainer", "ReferenceModels"]
    assert text.getvalue().startswith("✗ Trainer")


def test_a_bar_follows_the_stage_of_its_own_process() -> None:
    text = io.StringIO()
    console = Console(file=text, width=160, force_terminal=True)
    display = RunDisplay(console)
    log = logging.getLogger("trainer")
    log.setLevel(logging.INFO)
    with display.stage("Trainer"), display.stage("ReferenceModels", is_beside=True):
        log.info("training", extra={"progress": (3, 4), "detail": "eval loss 0.5"})
        log.info("training", extra={"progress": (1, 4), "detail": "ridge", "beside": True})
    rows = [row for row in text.getvalue().splitlines() if "eval loss" in row or "ridge" in row]
    assert any("Trainer" in row and "eval loss 0.5" in row for row in rows)
    assert any("ReferenceModels" in row and "ridge" in row for row in rows)
    assert not any("Trainer" in row and "ridge" in row for row in rows)


def test_on_a_terminal_the_bar_follows_what_the_stage_reports() -> None:
    text = io.StringIO()
    console = Console(file=text, width=120, force_terminal=True)
    log = logging.getLogger("trainer")
    log.setLevel(logging.INFO)
    with RunDisplay(console).stage("Trainer"):
        log.info("training", extra={"progress": (3, 4), "detail": "eval loss 0.5"})
        # The bar is drawn four times a second and once at the end: the last state is drawn.
    assert "eval loss 0.5" in text.getvalue()


RECORDS = [
    overall("auc", 0.8),
    overall("brier", 0.04),
    overall("calibration_slope", 1.02),
    overall("expected_calibration_error", 0.015),
]


def _rendered(records: list[MetricRecord]) -> str:
    console, text = _console()
    console.print(results_table(records))
    return text.getvalue()


def test_a_task_is_a_line_with_counts_interval_and_calibration() -> None:
    line = next(line for line in _rendered(RECORDS).splitlines() if "death" in line)
    cells = re.split(r" {2,}", line.strip())
    assert cells == ["death", "1,234", "56", "0.800 (0.700–0.900)", "0.040", "1.02", "0.015"]


LONG_NAME = "moderate_or_severe_adverse_event_by_week_24"


@pytest.mark.parametrize("task", ["death", "dead_or_dependent", LONG_NAME])
@pytest.mark.parametrize("width", [80, 120])
def test_no_heading_and_no_value_is_cut(task: str, width: int) -> None:
    records = [record.model_copy(update={"task": task}) for record in RECORDS]
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(results_table(records, width))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, lines)) <= width
    shown = " ".join(lines).split()
    headings = ["task", "subjects", "events", "AUC", "Brier", "slope", "error"]
    values = [task, "1,234", "56", "0.800", "(0.700–0.900)", "0.040", "1.02", "0.015"]
    assert {*headings, *values} <= set(shown)


def test_a_long_name_stands_above_its_numbers() -> None:
    records = [record.model_copy(update={"task": LONG_NAME}) for record in RECORDS]
    lines = results_table(records, 80).plain.splitlines()
    assert lines[-2] == LONG_NAME
    assert lines[-1].split()[:2] == ["1,234", "56"]


def test_a_short_terminal_folds_lines_and_loses_nothing() -> None:
    console = Console(file=io.StringIO(), width=40, highlight=False)
    console.print(results_table(RECORDS, 40))
    assert "0.800 (0.700–0.900)" in " ".join(console.file.getvalue().split())  # type: ignore[attr-defined]


def test_groups_and_the_champion_have_no_line_of_their_own() -> None:
    others = [
        overall("auc", 0.6, slice={"sex": "F"}),
        overall("auc", 0.5, model="champion", task="other"),
    ]
    assert _rendered([*RECORDS, *others]) == _rendered(RECORDS)


def test_a_value_that_is_undefined_is_a_dash() -> None:
    undefined = [overall("auc", None, lower=None, upper=None), *RECORDS[1:]]
    assert "– (no interval)" in _rendered(undefined)


def test_what_libraries_write_does_not_appear_on_the_terminal(
    capfd: pytest.CaptureFixture[str],
) -> None:
    text = io.StringIO()
    console = Console(file=text, width=80, force_terminal=True)
    with waiting(console, "loading"), RunDisplay(console).stage("Trainer"):
        sys.stdout.write("chatter on standard output")
        sys.stderr.write("chatter on standard error")
    assert "chatter" not in text.getvalue()
    written = capfd.readouterr()
    assert (written.out, written.err) == ("chatter on standard output", "chatter on standard error")
