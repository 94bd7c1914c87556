"""What a finished run says on terminals of different widths."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from pipeline.results.documents import MetricRecord, Metrics, Refusal, Verdict
from pipeline.results.evaluation_plan import SPLIT_PLAN, EvaluationPlan, SchemeChoice, TooFewEvents
from pipeline.results.findings import Finding, Findings
from pipeline.results.judged import Judged
from pipeline.runners.local.display import RunDisplay, results_table
from pipeline.runners.local.result import show_result
from pipeline.runners.stages import STAGES
from pipeline.study.sections import Threshold
from pipeline.titles import NAMES, Titles
from tests.components.run_page.hand_made_run import BY_SITE, CROSS_FIT
from tests.pipeline.runners.local.overall_metrics import overall
from tests.split_words import names_a_split

CHOSEN = CROSS_FIT.model_copy(
    update={
        "reason": "",
        "choice": SchemeChoice(
            reason="too_few_events",
            least=100,
            tasks=(TooFewEvents(task="death", subjects=80),),
            smallest_group=50,
        ),
    }
)
SENTENCE = (
    "AUC of worsening in age_band [50, 65) is 0.512, which is below the limit of 0.550 that the "
    "study file demands of every slice."
)
NOTE = "There is no champion yet: the thresholds against it were not compared in this run."


def records(task: str, subjects: int, positives: int) -> list[MetricRecord]:
    """A task's metrics, each with values of the usual number of digits."""
    values = {
        "auc": 0.8123,
        "brier": 0.0412,
        "calibration_slope": -1.02,
        "expected_calibration_error": 0.0153,
    }
    return [overall(metric, value, task, subjects, positives) for metric, value in values.items()]


def written(records: list[MetricRecord], plan: EvaluationPlan = SPLIT_PLAN) -> str:
    """The document of metrics."""
    return Metrics(
        records=tuple(records), smallest_group=50, suppressed=(), evaluation=plan
    ).model_dump_json(by_alias=True)


def shown(
    tasks: list[MetricRecord],
    folder: Path,
    width: int,
    terminal: bool = True,
    plan: EvaluationPlan = SPLIT_PLAN,
    titles: Titles = NAMES,
) -> str:
    """The end of a run's output, without colours."""
    verdict = Verdict(
        blessed=False,
        judged=True,
        compared=4,
        comparisons=None,
        reasons=(refusal(),),
        not_judged=(),
        notes=(Judged(message=NOTE),),
    )
    folder.mkdir(parents=True, exist_ok=True)
    metrics = folder / "metrics.json"
    metrics.write_text(written(tasks, plan))
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=terminal,
        color_system=None,
        highlight=False,
        soft_wrap=True,
    )
    show_result(console, verdict, {"metrics": metrics}, titles)
    return console.file.getvalue()  # type: ignore[attr-defined]


def refusal() -> Refusal:
    return Refusal(
        task="worsening",
        slice={},
        message=SENTENCE,
        metric="auc",
        decision_threshold=None,
        model="challenger",
        value=0.512,
        threshold=Threshold(metric="auc", at_least=0.55),
    )


@pytest.mark.parametrize("width", [60, 80])
def test_lines_break_between_words_and_fit(width: int, tmp_path: Path) -> None:
    tasks = [*records("worsening", 1234, 567), *records("a_task_with_a_long_name", 981, 45)]
    text = shown(tasks, tmp_path, width)
    lines = [line for line in text.splitlines() if str(tmp_path) not in line]
    assert len(lines) > 8
    assert max(map(len, lines)) <= width
    assert {*SENTENCE.split(), *NOTE.split(), "calibration", "Brier", "0.812"} <= set(text.split())


def test_warnings_of_the_gate_unknown_labels_and_rejected_rows_are_shown_with_their_reason(
    tmp_path: Path,
) -> None:
    console = Console(file=io.StringIO(), width=60, force_terminal=False, highlight=False)
    found = [
        Finding(rule="missingness", severity="warn", message="AGE is missing [more] often"),
        Finding(rule="unknown_labels", severity="ok", message="task death: 40 of 900 left"),
        Finding(rule="landmark_labels", severity="warn", message="task death: 60 of 900 day 1"),
        Finding(rule="leakage", severity="ok", message="AGE is the strongest"),
        Finding(rule="rejects", severity="ok", message="LB: 32 of 2,133 rows (1.5%)", value=0.015),
        Finding(rule="rejects", severity="ok", message="DM: 0 of 900 rows (0.0%)", value=0.0),
    ]
    (tmp_path / "findings.json").write_text(Findings(tuple(found)).model_dump_json())
    metrics = tmp_path / "metrics.json"
    metrics.write_text(written(records("death", 99, 9)))
    verdict = Verdict(
        blessed=True, judged=True, compared=4, comparisons=None, reasons=(), not_judged=(), notes=()
    )

    show_result(console, verdict, {"metrics": metrics, "findings": tmp_path})

    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert (
        "Warnings of the data gate\n"
        "  ! AGE is missing [more] often\n"
        "  ! task death: 60 of 900 day 1\n"
        "Labels that are unknown\n"
        "  - task death: 40 of 900 left\n"
        "Rows that were rejected\n"
        "  - LB: 32 of 2,133 rows (1.5%)\n"
    ) in text
    assert "DM" not in text
    assert "strongest" not in text


def test_a_path_stays_in_one_piece_with_its_brackets(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 20) / "of [bold]a person"
    assert f"metrics   {folder}/metrics.json\n" in shown(records("death", 99, 9), folder, 60)


def test_without_a_terminal_a_sentence_is_one_line(tmp_path: Path) -> None:
    text = shown(records("death", 99, 9), tmp_path, 60, terminal=False)
    assert f"  ✗ {SENTENCE}\n" in text
    assert f"  {NOTE}\n" in text


@given(
    tasks=st.dictionaries(
        st.from_regex(r"[a-z][a-z_0-9]{0,56}", fullmatch=True),
        st.tuples(st.integers(0, 999_999), st.integers(0, 99_999)),
        min_size=1,
        max_size=4,
    ),
    width=st.integers(60, 140),
)
def test_numbers_stand_below_their_headings_at_any_width(
    tasks: dict[str, tuple[int, int]], width: int
) -> None:
    found = [record for task, counts in tasks.items() for record in records(task, *counts)]
    _, *lines = results_table(found, width).plain.splitlines()
    assert max(map(len, lines)) <= width
    ends = [len(line) for line in lines if "slope" in line or "-1.02" in line]
    assert len(ends) == 1 + len(tasks)
    assert len(set(ends)) == 1


@pytest.mark.parametrize("width", [60, 80])
def test_a_stages_line_breaks_between_words(width: int) -> None:
    console = Console(
        file=io.StringIO(), width=width, force_terminal=True, color_system=None, soft_wrap=True
    )
    display = RunDisplay(console)
    for stage in STAGES:
        with display.stage(stage) as running:
            running.cached = True
    # Without the control sequences that draw the spinner.
    text = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", console.file.getvalue())  # type: ignore[attr-defined]
    lines = [line for line in text.splitlines() if line.startswith("✓")]
    assert len(lines) == len(STAGES)
    assert max(map(len, lines)) <= width
    expected = [word for stage, says in STAGES.items() for word in (stage, *says.split())]
    assert set(expected) <= set(text.split())
    assert len(expected) > 60


@pytest.mark.parametrize("plan", [CROSS_FIT, BY_SITE], ids=lambda plan: plan.scheme)
def test_out_of_fold_the_terminal_says_who_was_predicted_by_whom_in_80_columns(
    plan: EvaluationPlan, tmp_path: Path
) -> None:
    text = shown(records("death", 2000, 400), tmp_path, 80, plan=plan)
    lines = text.splitlines()[: text.splitlines().index("refused")]
    assert max(map(len, lines)) <= 80
    said = " ".join(text.split())
    assert "Out of fold: AUC with 95 % interval" in said
    assert "Every subject was predicted by models that never saw" in said
    assert not names_a_split(said.replace(" ".join(NOTE.split()), ""))


def test_the_terminal_tells_what_auto_chose_and_why(tmp_path: Path) -> None:
    text = shown(records("death", 2000, 400), tmp_path, 80, plan=CHOSEN)
    said = " ".join(text.split())
    assert "chosen by `auto`: cross_fit. A test split would need 100 subjects" in said
    assert "it would have 80 for death." in said


def test_a_sentence_of_an_earlier_version_on_the_choice_is_shown_as_it_is(tmp_path: Path) -> None:
    text = " ".join(shown(records("death", 2000, 400), tmp_path, 80, plan=CROSS_FIT).split())
    assert "chosen by `auto`: cross_fit. Too few for death." in text


def test_the_terminal_names_tasks_by_their_titles(tmp_path: Path) -> None:
    tasks = [*records("death", 2000, 400), *records("dead", 981, 45)]
    titles = Titles({"death": "Death by day 90", "dead": "Dead or death later"})
    lines = shown(tasks, tmp_path, 120, False, CHOSEN, titles).splitlines()
    assert [line.split("  ")[0] for line in lines[3:5]] == [
        "Death by day 90",
        "Dead or death later",
    ]
    assert "  Death by day 90: blessed" in lines
    assert "it would have 80 for Death by day 90." in "\n".join(lines)


def test_under_split_the_title_of_the_table_names_the_test_split(tmp_path: Path) -> None:
    assert "Test split: AUC" in shown(records("death", 400, 80), tmp_path, 80)
