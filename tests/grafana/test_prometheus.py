"""Prometheus' rules: in unit tests of promtool, and in a Prometheus that reads a real service."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from grafana.boards.generate import FOLDER, files
from grafana.boards.prometheus import RULES
from grafana.queries import service_metrics
from grafana.queries.service_rules import FLAGGED, RECORDED, SERVICE_ALERTS, USUALLY_FLAGGED
from pipeline.runs.register import Decision
from tests.commands import check
from tests.each import each
from tests.grafana.grafana_files import known_expressions
from tests.grafana.real_prometheus import Prometheus, program, reading, settings
from tests.pipeline.service.hand_made import STUDY, SUBJECT, register, save
from tests.pipeline.service.processes import Serving, serving, until

pytestmark = pytest.mark.slow

TOKEN = "a token of this test"


@dataclass(frozen=True)
class Seen:
    """A service, and the Prometheus that reads it."""

    service: Serving
    prometheus: Prometheus


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("token") / "token"
    path.write_text(TOKEN)
    return path


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, token: Path) -> Iterator[Seen]:
    """A service that was asked, one in four with an age that no training subject had."""
    folder = tmp_path_factory.mktemp("seen")
    register(folder / "registry", save(folder / "model"), folder)
    # A second one, which only sees what the first one answers.
    person = Decision(compared_with="none", rule="person")
    other = save(folder / "other", offset=1.0)
    register(folder / "registry", other, folder, run="run-2", decision=person)
    tokens = folder / "tokens"
    tokens.write_text(f"admin {hashlib.sha256(TOKEN.encode()).hexdigest()}\n")
    further = ("--prediction-log", str(folder / "log"), "--shadow", "newest")
    with serving(folder / "registry", "--tokens", str(tokens), *further) as service:
        service.client.headers["Authorization"] = f"Bearer {TOKEN}"
        until(lambda: _has_been_compared(service))
        address = f"{service.client.base_url.host}:{service.client.base_url.port}"
        with reading(address, token, folder) as prometheus:
            until(lambda: bool(prometheus.ask("trial_service_predicted_risk_count")))
            # A rate needs two values.
            _ask(service)
            names = [one.name for one in RECORDED if one.name != USUALLY_FLAGGED]
            until(lambda: all(prometheus.ask(f"{name} > 0") for name in names if "err" not in name))
            yield Seen(service, prometheus)


def _has_been_compared(service: Serving) -> bool:
    """Whether the challenger has seen requests: the first ones come before it is loaded."""
    _ask(service)
    return "trial_service_shadow_difference_bucket" in service.client.get("/metrics").text


def _ask(service: Serving) -> None:
    for age in (60, 60, 60, 75):
        answer = service.client.post("/predict", json={"subject": SUBJECT | {"AGE": age}})
        assert answer.status_code == 200, answer.text


def test_the_settings_are_valid_to_promtool(tmp_path: Path, token: Path) -> None:
    found = check(program("promtool"), "check", "config", settings("127.0.0.1:1", token, tmp_path))
    assert f"{len(RECORDED) + len(SERVICE_ALERTS)} rules found" in found
    # Without looking for the token, which is at its place in the container alone.
    shipped = FOLDER / "prometheus" / "prometheus.yaml"
    check(program("promtool"), "check", "config", "--syntax-only", shipped)


def test_the_rules_do_what_their_unit_tests_say(tmp_path: Path) -> None:
    tests = Path(__file__).with_name("service_rules.yaml").read_text("utf-8")
    (tmp_path / RULES).write_text(files()[f"prometheus/{RULES}"], encoding="utf-8")
    path = tmp_path / "tests.yaml"
    path.write_text(f"rule_files: [{RULES}]\n{tests}", encoding="utf-8")
    assert "SUCCESS" in check(program("promtool"), "test", "rules", path)


def test_each_rule_is_evaluated_without_an_error(seen: Seen) -> None:
    until(lambda: all(rule["health"] != "unknown" for rule in seen.prometheus.rules()))
    rules = seen.prometheus.rules()
    assert [rule["name"] for rule in rules] == [
        *(one.name for one in RECORDED),
        *(alert.name for alert in SERVICE_ALERTS),
    ]
    for rule in each(rules):
        assert (rule["health"], rule.get("lastError")) == ("ok", None), rule["name"]


def test_what_is_recorded_has_the_study_and_the_numbers_of_the_requests(seen: Seen) -> None:
    for one in each([one for one in RECORDED if one.name != USUALLY_FLAGGED]):
        found = seen.prometheus.ask(one.name)
        assert {series["metric"]["study"] for series in found} == {STUDY}, one.name
    share = f'abs({FLAGGED}{{flag="out_of_range"}} - 0.25) < 1e-6'
    until(lambda: bool(seen.prometheus.ask(share)))


def test_a_service_that_is_well_raises_nothing_and_is_known_to_the_alerts(seen: Seen) -> None:
    # How fast it is depends on the machine.
    assert seen.prometheus.ask('ALERTS{alertname!="TrialServiceSlow"}') == []
    # Each alert compares something that the service has: nothing would be true of nothing.
    for name in each(
        [
            "trial_service_model_version",
            "trial_service_registry_version",
            "trial_service_registry_answers",
            "trial_service_prediction_log_answers",
            'trial_service_logged_subjects_total{outcome="lost"}',
            "study:trial_service_errors:ratio_rate5m",
        ]
    ):
        assert seen.prometheus.ask(name), name


def test_every_question_of_boards_and_alerts_is_answered(seen: Seen) -> None:
    """None is an error, and each has data that there can be after a few requests."""
    found = {
        expression: seen.prometheus.ask(expression.replace("$study", STUDY))
        for expression in known_expressions()
    }
    empty = {expression for expression, series in found.items() if not series}
    # Nothing is raised, and there was no week before.
    quiet = {alert.raised.expression for alert in SERVICE_ALERTS}
    assert empty == quiet | {
        service_metrics.ALERTS.expression,
        service_metrics.USUALLY_FLAGGED_SHARE.expression,
    }


def test_the_board_shows_the_model_that_is_served_and_how_many_services(seen: Seen) -> None:
    [instances] = seen.prometheus.ask(service_metrics.INSTANCES.filled(STUDY))
    assert float(instances["value"][1]) == 1
    [model] = seen.prometheus.ask(service_metrics.SERVED.filled(STUDY))
    ready = seen.service.ready()
    assert model["metric"]["id"] in str(ready)
    # Of another study there is nothing.
    assert seen.prometheus.ask(service_metrics.SERVED.filled("another")) == []


def test_a_service_that_ends_is_noticed(seen: Seen) -> None:
    """The last test: it ends the service."""
    seen.service.process.kill()
    pending = 'ALERTS{alertname="TrialServiceDown", alertstate="pending"}'
    until(lambda: bool(seen.prometheus.ask(pending)))
