"""What the alerts on the prediction service say."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from grafana.queries.service_rules import SERVICE_ALERTS
from pipeline.version import PROJECT
from tests.each import each
from tests.grafana.grafana_files import provisioned

RUNBOOK = (PROJECT / "docs" / "operations.md").read_text("utf-8")
UNIT_TESTS = Path(__file__).with_name("service_rules.yaml").read_text("utf-8")


def test_each_alert_has_a_heading_and_a_line_in_the_runbook() -> None:
    headings = set(re.findall(r"^## (.*)$", RUNBOOK, re.MULTILINE))
    rows = set(re.findall(r"^\| `(\w+)` \| \[(.*)\]\(#.*\) \| (\w+) \|$", RUNBOOK, re.MULTILINE))
    assert rows == {(alert.name, alert.runbook, alert.severity) for alert in SERVICE_ALERTS}
    assert {alert.runbook for alert in SERVICE_ALERTS} <= headings


def test_each_alert_says_what_it_is_about() -> None:
    for alert in each(SERVICE_ALERTS):
        assert re.search(r"\{(study|instance|job)\}", alert.summary), alert.name


def test_each_alert_is_raised_in_a_unit_test() -> None:
    raised = {
        test["alertname"]
        for group in yaml.safe_load(UNIT_TESTS)["tests"]
        for test in group.get("alert_rule_test", ())
        if test["exp_alerts"]
    }
    raised |= set(re.findall(r'alertname="(\w+)", (?:study|alertstate)=', UNIT_TESTS))
    assert {alert.name for alert in SERVICE_ALERTS} == raised


def test_each_alert_of_prometheus_is_sent_on_by_grafana() -> None:
    groups = provisioned("alerting/rules.yaml")["groups"]
    sent = {rule["uid"]: rule for group in groups for rule in group["rules"]}

    for alert in each(SERVICE_ALERTS):
        rule = sent[alert.uid]
        assert alert.name in rule["data"][0]["model"]["expr"]
        assert rule["labels"]["severity"] == alert.severity
        assert alert.anchor in rule["annotations"]["description"]
