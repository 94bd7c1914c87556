"""What Grafana is given: current, valid, complete, and with no secret in it."""

import itertools
import json
import re
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.models import alerting
from grafana_foundation_sdk.models.dashboard import Dashboard
from jsonschema import Draft7Validator

from grafana.boards.alerts import FOLDER as ALERTS_FOLDER
from grafana.boards.alerts import FOLDER_UID, GROUP
from grafana.boards.generate import files
from grafana.boards.provisioning import plain
from grafana.queries import external_validation
from grafana.queries.service_rules import SERVICE_ALERTS
from tests.each import each
from tests.grafana.grafana_files import (
    BOARDS,
    FOLDER,
    REFERENCE,
    alert_queries,
    board,
    known_expressions,
    panel_queries,
    panels,
    prometheus_queries,
    provisioned,
    queries,
)

COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())


def schema(name: Any) -> Any:
    path = REFERENCE / f"grafana-{name}.schema.json"
    if not path.exists():
        pytest.skip("Grafana's schemas are absent; set TRIAL_REFERENCE_DIR to their folder")
    return json.loads(path.read_text())


def complaints(schema: Any, definition: Any, content: Any) -> Any:
    validator = Draft7Validator({**schema, "$ref": f"#/definitions/{definition}"})
    return [f"{list(e.absolute_path)}: {e.message[:200]}" for e in validator.iter_errors(content)]


def rules() -> Any:
    for group in provisioned("alerting/rules.yaml")["groups"]:
        for rule in group["rules"]:
            yield {**rule, "folderUID": FOLDER_UID, "ruleGroup": GROUP, "orgID": group["orgId"]}


def with_words(uid: Any) -> Any:
    return [panel for panel in panels(uid) if panel["type"] != "text"]


def test_the_files_are_what_the_code_makes() -> None:
    stale = [path for path, content in files().items() if (FOLDER / path).read_text() != content]

    assert not stale, "run `make grafana` and commit what it writes"


def test_no_other_file_is_beside_them() -> None:
    found = {
        path.relative_to(FOLDER).as_posix()
        for folder in ("dashboards", "prometheus", "provisioning", "retraining")
        for path in (FOLDER / folder).rglob("*.*")
    }

    assert found == set(files())


@pytest.mark.parametrize("uid", BOARDS)
def test_a_board_is_valid_by_grafanas_schema(uid: Any) -> None:
    loose = schema("dashboard")
    # These two hold anything in Grafana; the generated schema says "object" for that.
    loose["definitions"]["DynamicConfigValue"]["properties"]["value"] = {}
    loose["definitions"]["MatcherConfig"]["properties"]["options"] = {}

    assert complaints(loose, "Dashboard", board(uid)) == []


@pytest.mark.parametrize("uid", BOARDS)
def test_a_board_comes_back_from_the_sdk_unchanged(uid: Any) -> None:
    assert plain(Dashboard.from_json(board(uid))) == board(uid)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["uid"])
def test_an_alert_rule_is_valid_by_grafanas_schema(rule: Any) -> None:
    assert complaints(schema("alerting"), "Rule", rule) == []


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["uid"])
def test_an_alert_rule_comes_back_from_the_sdk_unchanged(rule: Any) -> None:
    again = plain(alerting.Rule.from_json(rule))

    # Of a query of a data source without a class, the SDK keeps its content in an object.
    for query, given in each(zip(again["data"], rule["data"], strict=True)):
        query["model"] = query["model"].get("data", query["model"])
        assert query == given
    assert again == rule


def test_contact_point_and_policy_are_valid_by_grafanas_schema() -> None:
    (point,) = provisioned("alerting/contact_points.yaml")["contactPoints"]
    (policy,) = provisioned("alerting/policies.yaml")["policies"]
    found = complaints(schema("alerting"), "ContactPoint", point["receivers"][0])
    del policy["orgId"]

    assert found + complaints(schema("alerting"), "NotificationPolicy", policy) == []


def test_alarms_ask_for_a_retraining_where_the_address_of_its_webhook_is_given() -> None:
    point, asks = yaml.safe_load((FOLDER / "retraining/contact_points.yaml").read_text())[
        "contactPoints"
    ]
    (policy,) = yaml.safe_load((FOLDER / "retraining/policies.yaml").read_text())["policies"]
    (receiver,), (first, *others) = asks["receivers"], policy["routes"]
    (usual,) = provisioned("alerting/policies.yaml")["policies"]

    assert complaints(schema("alerting"), "ContactPoint", receiver) == []
    assert point == provisioned("alerting/contact_points.yaml")["contactPoints"][0]
    assert receiver["settings"] == {
        "url": "${TRIAL_RETRAIN_WEBHOOK}",
        "httpMethod": "POST",
        "authorization_scheme": "Bearer",
        "authorization_credentials": "${TRIAL_RETRAIN_TOKEN}",
    }
    # People hear of the alarm as well.
    assert first["continue"]
    assert first["receiver"] == asks["name"]
    ((label, _, title),) = first["object_matchers"]
    assert (label, title) == ("alertname", "An alarm on the model in service has fired")
    assert title in {rule["title"] for rule in rules()}
    assert others == usual["routes"]
    del policy["orgId"]
    assert complaints(schema("alerting"), "NotificationPolicy", policy) == []


@pytest.mark.parametrize("uid", BOARDS)
def test_every_panel_asks_a_question_explains_itself_and_says_what_nothing_means(uid: Any) -> None:
    for panel in each(with_words(uid)):
        assert "?" in panel["title"], panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["noValue"], panel["title"]


@pytest.mark.parametrize("uid", BOARDS)
def test_a_board_says_first_what_to_read_first(uid: Any) -> None:
    first = next(panels(uid))

    assert first["type"] == "text"
    assert "Read first" in first["options"]["content"]


@pytest.mark.parametrize("uid", BOARDS)
def test_every_number_has_a_unit(uid: Any) -> None:
    for panel in each(with_words(uid)):
        if panel["type"] != "table":
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]


@pytest.mark.parametrize("uid", BOARDS)
def test_panels_have_ids_of_their_own_and_do_not_overlap(uid: Any) -> None:
    placed = board(uid)["panels"]
    ids = [panel["id"] for panel in placed]

    assert len(set(ids)) == len(ids)
    for one, other in each(itertools.combinations([panel["gridPos"] for panel in placed], 2)):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)


@pytest.mark.parametrize("uid", BOARDS)
def test_everything_reads_from_the_provisioned_data_sources(uid: Any) -> None:
    (store,) = provisioned("datasources/store.yaml")["datasources"]
    (service,) = provisioned("datasources/prometheus.yaml")["datasources"]
    named = re.findall(r'"datasource": (\{[^}]*\})', json.dumps(board(uid)))
    sources = {(found["type"], found["uid"]) for found in map(json.loads, named)}

    known = {(store["type"], store["uid"]), (service["type"], service["uid"])}
    assert sources <= {*known, ("datasource", "-- Grafana --"), ("grafana", "-- Grafana --")}
    assert store["type"] == "grafana-postgresql-datasource"
    assert service["type"] == "prometheus"


def test_what_can_be_chosen_on_the_board_of_models() -> None:
    names = [item["name"] for item in board(BOARDS[0])["templating"]["list"]]

    assert names == ["study", "task", "metric", "decision", "slicing", "model", "run"]


@pytest.mark.parametrize("uid", BOARDS)
def test_what_a_query_needs_can_be_chosen_before_it(uid: Any) -> None:
    chosen: set[str] = set()
    for item in each(board(uid)["templating"]["list"]):
        if item["type"] == "query":
            assert set(re.findall(r"\$\{(\w+)", item["query"])) <= chosen, item["name"]
        chosen.add(item["name"])
    for asked in each(panel_queries(uid)):
        assert set(re.findall(r"\$\{(\w+)", asked.sql)) <= chosen, asked.place


def test_every_query_is_one_of_the_project() -> None:
    known = {query.for_grafana() for query in queries().values()}
    asked = [item for uid in BOARDS for item in panel_queries(uid)] + alert_queries()

    assert {item.sql for item in asked} <= known


def test_every_question_to_prometheus_is_one_of_the_project() -> None:
    shown = {expression for uid in BOARDS for _, expression in prometheus_queries(uid)}
    raised = {
        query["model"]["expr"]
        for rule in rules()
        for query in rule["data"]
        if "expr" in query["model"]
    }

    assert shown
    assert len(raised) == len(SERVICE_ALERTS)
    assert shown | raised == known_expressions()


def test_the_board_of_models_shows_the_spread_between_groups_that_were_left_out() -> None:
    asked = [item.query for item in panel_queries("trial-model-quality")]

    assert external_validation.BETWEEN_GROUPS in asked


def test_a_run_leads_to_its_groups() -> None:
    links = re.findall(r'"url": "(/d/[^"]*)"', json.dumps([board(uid) for uid in BOARDS]))

    assert links
    for link in links:
        assert link.startswith("/d/trial-")
        assert re.search(r"var-(run|registered)=\$\{__(value\.raw|data\.fields\.\w+)\}", link)


def test_an_alert_has_one_number_and_texts() -> None:
    for asked in each(alert_queries()):
        kinds = list(asked.query.columns.values())
        assert len([kind for kind in kinds if kind != "text"]) == 1, asked.place
        assert asked.format == "table"


def test_alerts_fire_on_their_number_and_name_what_they_are_about() -> None:
    for rule in each(rules()):
        _, threshold = rule["data"]
        assert rule["condition"] == threshold["refId"]
        assert threshold["model"]["expression"] == "A"
        # Prometheus does not know the study of a service that it can't read.
        named = r"\{\{ \.Labels\.(study|instance|job) \}\}"
        assert re.search(named, rule["annotations"]["summary"])
        # Grafana would replace it by its environment.
        assert "$" not in json.dumps(rule["annotations"])


def test_boards_and_alerts_have_folders_of_their_own() -> None:
    (provider,) = provisioned("dashboards/boards.yaml")["providers"]

    assert provider["folder"] != ALERTS_FOLDER
    assert provider["allowUiUpdates"] is False


def test_nothing_in_compose_has_a_default_password() -> None:
    environment = {
        name: str(value)
        for service in COMPOSE["services"].values()
        for name, value in service.get("environment", {}).items()
    }
    secrets = {name: value for name, value in environment.items() if "PASSWORD" in name}

    assert len(secrets) >= 4
    for name, value in secrets.items():
        assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", value), name


def test_the_data_source_reads_with_the_role_that_can_only_read() -> None:
    (source,) = provisioned("datasources/store.yaml")["datasources"]

    assert source["user"] == "trial_reader"
    assert source["secureJsonData"] == {"password": "${TRIAL_READER_PASSWORD}"}


def test_every_variable_of_the_provisioned_files_is_set_in_compose() -> None:
    given = COMPOSE["services"]["grafana"]["environment"]
    text = "".join(
        path.read_text()
        for name in (
            "datasources/store.yaml",
            "datasources/prometheus.yaml",
            "alerting/contact_points.yaml",
        )
        for path in [FOLDER / "provisioning" / name]
    )

    assert set(re.findall(r"\$\{(\w+)\}", text)) <= set(given)


def test_versions_in_compose_are_pinned_and_servers_have_health_checks() -> None:
    for name in ("postgres", "grafana"):
        service = COMPOSE["services"][name]
        assert re.search(r":\d+\.\d+", service["image"])
        assert service["healthcheck"]["test"]
    assert COMPOSE["services"]["grafana"]["depends_on"] == {
        "migrate": {"condition": "service_completed_successfully"}
    }


def test_what_compose_mounts_is_there() -> None:
    for volume in each(COMPOSE["services"]["grafana"]["volumes"]):
        source = volume.split(":")[0]
        assert (FOLDER / source).is_dir() if source.startswith(".") else source == "grafana"
