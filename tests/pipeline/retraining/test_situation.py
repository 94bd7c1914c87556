"""What a decision on a retraining is made on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.retraining.policy import Fired
from pipeline.retraining.situation import newest_monitoring, read_situation, running
from pipeline.runs.alive import living_run
from tests.pipeline.retraining.hand_made import (
    STUDY,
    TOO_LOW,
    alarm,
    known,
    monitored,
    monitoring,
    record,
)

NOW = datetime(2024, 7, 1, tzinfo=UTC)


def test_the_alarms_that_have_fired_are_taken_from_the_newest_monitoring(tmp_path: Path) -> None:
    monitored(tmp_path, "20240601", monitoring("a1"))
    newest = monitored(tmp_path, "20240701", monitoring("a1", alarm(), alarm("auc", fired=False)))
    record(tmp_path, "monitoring", "20240708", status="failed", failed_stage="Monitor")
    assert newest_monitoring(tmp_path, STUDY) == str(newest)
    found = read_situation(tmp_path, STUDY, str(newest), NOW)
    assert found.monitored == "a1"
    assert found.fired == (Fired("calibration", TOO_LOW),)
    assert found.new_outcomes == 120
    assert (found.running, found.stopped) == ("", ())


def test_outcomes_are_those_of_the_task_with_most_and_of_the_champion_alone(tmp_path: Path) -> None:
    values = (
        known(100),
        known(30, month=6),
        known(40, task="relapse"),
        known(100, model="b2", role="challenger"),
        known(60, slice={"sex": "F"}),
        known(500, metric="scored"),
    )
    path = monitored(tmp_path, "20240701", monitoring("a1", values=values))
    assert read_situation(tmp_path, STUDY, str(path), NOW).new_outcomes == 130


def test_an_alarm_without_a_sentence_is_named(tmp_path: Path) -> None:
    path = monitored(tmp_path, "20240701", monitoring("a1", alarm(reason="")))
    (fired,) = read_situation(tmp_path, STUDY, str(path), NOW).fired
    assert fired.reason == "The alarm calibration on death has fired."


def test_what_an_alarm_says_ends_as_a_sentence(tmp_path: Path) -> None:
    path = monitored(tmp_path, "20240701", monitoring("a1", alarm(reason="Too low: -0.2 of 90")))
    (fired,) = read_situation(tmp_path, STUDY, str(path), NOW).fired
    assert fired.reason == "Too low: -0.2 of 90."


def test_a_feed_is_broken_only_while_more_values_are_missing_than_in_training(
    tmp_path: Path,
) -> None:
    repaired = alarm("missing", evidence=1.2)
    fewer = alarm("missing", direction="fewer")
    path = monitored(tmp_path, "20240701", monitoring("a1", alarm(), repaired, fewer))
    assert [found.kind for found in read_situation(tmp_path, STUDY, str(path), NOW).fired] == [
        "calibration"
    ]
    path = monitored(tmp_path, "20240708", monitoring("a1", alarm("missing")))
    (broken,) = read_situation(tmp_path, STUDY, str(path), NOW).fired
    assert broken.kind == "missing"


def test_without_a_monitoring_nothing_is_known(tmp_path: Path) -> None:
    assert newest_monitoring(tmp_path, STUDY) == ""
    found = read_situation(tmp_path, STUDY, "", NOW)
    assert (found.monitored, found.fired, found.new_outcomes) == ("", (), 0)


def test_a_monitoring_that_is_missing_or_of_another_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"monitoring.json: the file is missing"):
        read_situation(tmp_path, STUDY, str(tmp_path / "monitoring.json"), NOW)
    path = monitored(tmp_path, "20240701", monitoring("a1"))
    with pytest.raises(UserError, match="a monitoring of the study hand, not other"):
        read_situation(tmp_path, "other", str(path), NOW)


def test_a_run_that_is_under_way_is_named(tmp_path: Path) -> None:
    folder = tmp_path / STUDY
    assert running(folder) == ""
    with living_run(folder) as living:
        assert running(folder) == "that has just begun"
        living.name("r7", "r6")
        assert running(folder) == "r7"
        assert read_situation(tmp_path, STUDY, "", NOW).running == "r7"
    assert running(folder) == ""


def test_a_gate_that_stopped_the_newest_scoring_is_named(tmp_path: Path) -> None:
    record(tmp_path, "scoring", "s1", status="failed", failed_stage="SkewGate")
    stopped = read_situation(tmp_path, STUDY, "", NOW).stopped
    assert stopped == ("The gate stopped the newest scoring, s1.",)
    record(tmp_path, "scoring", "s2", status="failed", failed_stage="BatchScoring")
    assert not read_situation(tmp_path, STUDY, "", NOW).stopped
    record(tmp_path, "scoring", "s3")
    assert not read_situation(tmp_path, STUDY, "", NOW).stopped
