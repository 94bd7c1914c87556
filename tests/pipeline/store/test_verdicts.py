"""The newest verdict of a study in the store, and what a pipeline of deliveries makes of it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.main import main
from pipeline.errors import UserError
from pipeline.estimates import Estimate
from pipeline.store.migrate import migrate
from pipeline.store.models import Outcome, Run, TaskVerdict
from pipeline.store.sqlite_file import sqlite_address
from pipeline.store.verdicts import newest_verdict
from pipeline.store.writer import export
from tests.pipeline.store.store_runs import record, run_rows, study

STUDY = study().study
TO_CHAMPION = record(model="difference", value=0.05, lower=-0.01, upper=0.11)
TO_RIDGE = record(model="difference", versus="ridge", value=0.5, lower=0.4, upper=0.6)


@pytest.fixture
def address(tmp_path: Path) -> str:
    found = sqlite_address(tmp_path / "store.sqlite")
    migrate(found)
    return found


def test_the_verdict_has_the_difference_to_the_champion_alone(address: str) -> None:
    export(address, run_rows("r1", TO_CHAMPION, TO_RIDGE))

    found = newest_verdict(address, STUDY)

    assert (found.run, found.blessed) == ("r1", True)
    assert found.to_champion == {"death": Estimate(0.05, -0.01, 0.11)}


def test_a_slices_difference_is_not_the_overall_one(address: str) -> None:
    export(address, run_rows("r1", TO_CHAMPION | {"slice": {"sex": "F"}}))

    assert newest_verdict(address, STUDY).to_champion == {}


def test_a_task_that_is_not_judged_has_its_reason(address: str) -> None:
    rows = run_rows("r1")
    unjudged = {"task": "relapse", "verdict": "not_judged", "reason": "relapse: too few events"}
    rows[TaskVerdict].append(rows[TaskVerdict][0] | unjudged)
    export(address, rows)

    found = newest_verdict(address, STUDY)

    assert found.tasks == {"death": "blessed", "relapse": "not_judged"}
    assert found.reasons == ("relapse: too few events",)


def test_another_study_has_no_verdict(address: str) -> None:
    export(address, run_rows("r1"))

    with pytest.raises(UserError, match="no evaluated run of the study other"):
        newest_verdict(address, "other")


def test_a_run_can_be_named(address: str) -> None:
    export(address, run_rows("r1"))
    export(address, run_rows("r2", blessed=False))

    assert newest_verdict(address, STUDY, "r1").blessed
    assert not newest_verdict(address, STUDY, "r2").blessed
    with pytest.raises(UserError, match="no evaluated run r3"):
        newest_verdict(address, STUDY, "r3")


@pytest.mark.parametrize(
    ("outcomes", "end"),
    [
        ([], "recorded as running"),
        ([("killed", 1), ("failed", 0)], "recorded as killed. Stage Trainer: it was killed"),
    ],
)
def test_a_run_without_a_verdict_is_answered_with_how_it_ended(
    address: str, outcomes: list[tuple[str, int]], end: str
) -> None:
    rows = run_rows("r1")
    [done] = rows[Outcome]
    rows[Outcome] = [
        {
            **done,
            "status": status,
            "ended": done["ended"] + timedelta(hours=later),
            "reason": f"Stage Trainer: it was {status}.",
        }
        for status, later in outcomes
    ]
    export(address, {model: rows[model] for model in (Run, Outcome)})

    with pytest.raises(UserError, match=f"The run r1 .* has no verdict: it is {end}"):
        newest_verdict(address, STUDY, "r1")


@pytest.mark.parametrize(("blessed", "code"), [(True, 0), (False, 3)])
def test_the_exit_code_is_the_verdicts_where_it_is_asked_for(
    address: str, blessed: bool, code: int
) -> None:
    export(address, run_rows("r1", blessed=blessed))
    command = ["verdict", "--store", address, "--study", STUDY]

    assert main(command) == 0
    assert main([*command, "--fail-if-refused"]) == code


@pytest.mark.parametrize(("blessed", "handed"), [(True, ["JUDGED_RUN=r1\n"]), (False, [])])
def test_the_run_is_handed_to_the_next_job_where_its_model_was_blessed(
    address: str, tmp_path: Path, blessed: bool, handed: list[str]
) -> None:
    export(address, run_rows("r1", blessed=blessed))
    file = tmp_path / "verdict.env"

    options = ["--fail-if-refused", "--dotenv", str(file)]
    main(["verdict", "--store", address, "--study", STUDY, *options])

    assert [path.read_text() for path in tmp_path.glob("*.env")] == handed


def test_the_difference_is_shown_with_its_interval(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    export(address, run_rows("r1", TO_CHAMPION))

    assert main(["verdict", "--store", address, "--study", STUDY]) == 0
    assert "AUC minus the champion's +0.050 (-0.010 to +0.110)" in capsys.readouterr().out


def test_a_machine_reads_the_same(address: str, capfd: pytest.CaptureFixture[str]) -> None:
    export(address, run_rows("r1", TO_CHAMPION))

    assert main(["verdict", "--store", address, "--study", STUDY, "--json"]) == 0
    content: dict[str, Any] = json.loads(capfd.readouterr().out)
    assert content["to_champion"] == {"death": {"value": 0.05, "lower": -0.01, "upper": 0.11}}
