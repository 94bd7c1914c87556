"""The service on one machine: in step with `trial serve` and its image, and closed."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from grafana.boards.prometheus import RULES, configuration
from pipeline.cli.main import main
from pipeline.version import PROJECT
from tests.each import each

FILE = PROJECT / "kubeflow" / "service" / "compose.yaml"
CONTENT = yaml.safe_load(FILE.read_text("utf-8"))
SERVICE: dict[str, Any] = CONTENT["services"]["service"]
PROMETHEUS: dict[str, Any] = CONTENT["services"]["prometheus"]
DOCKERFILE = (PROJECT / "kubeflow" / "Dockerfile").read_text("utf-8")
IMAGE = DOCKERFILE.partition("AS service\n")[2].partition("\nFROM ")[0]
"""The stage of the service's image."""
OPTIONS = ["TRIAL_SHADOW", "TRIAL_PREDICTION_LOG", "OTEL_EXPORTER_OTLP_ENDPOINT"]
"""What the service reads from its environment."""


def _without_variables(text: str) -> str:
    return re.sub(r"\$\{[^}]+\}", "given", text)


def test_the_command_line_is_that_of_trial_serve(capsys: pytest.CaptureFixture[str]) -> None:
    defaults = [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", argument) for argument in SERVICE["command"]]
    arguments = [_without_variables(argument) for argument in defaults]

    # All options are known: what is missing here is the file of tokens.
    assert main(["serve", *arguments]) == 2
    assert "/run/secrets/tokens" in capsys.readouterr().err


def test_what_the_command_line_names_is_mounted_for_reading_alone() -> None:
    options = dict(re.findall(r"--(\w+)=(\S+)", " ".join(SERVICE["command"])))
    [mounted] = SERVICE["volumes"]
    assert _without_variables(mounted["source"]) == "given"
    assert (mounted["target"], mounted["read_only"]) == (options["registry"], True)
    # A folder that is mistyped is an error, and not made by Docker.
    assert mounted["bind"] == {"create_host_path": False}
    assert SERVICE["secrets"] == ["tokens"]
    # Where Compose puts a secret.
    assert options["tokens"] == "/run/secrets/tokens"
    assert _without_variables(CONTENT["secrets"]["tokens"]["file"]) == "given"


def test_prometheus_reads_the_service_with_its_own_token_and_grafana_reads_it() -> None:
    settings = configuration()
    [job] = settings["scrape_configs"]
    assert PROMETHEUS["secrets"] == ["metrics_token"]
    assert job["authorization"]["credentials_file"] == "/run/secrets/metrics_token"
    assert job["static_configs"] == [{"targets": ["service:8080"]}]
    mounted = dict(volume.split(":")[:2] for volume in PROMETHEUS["volumes"])
    [folder] = [inside for source, inside in mounted.items() if source.startswith(".")]
    assert f"--config.file={folder}/prometheus.yaml" in PROMETHEUS["command"]
    assert (FILE.parent / "../../grafana/prometheus" / RULES).is_file()
    assert set(PROMETHEUS["networks"]) == {*SERVICE["networks"], "default"}
    grafana = yaml.safe_load((PROJECT / "grafana" / "compose.yaml").read_text("utf-8"))
    address = grafana["services"]["grafana"]["environment"]["TRIAL_PROMETHEUS"]
    assert address == "${TRIAL_PROMETHEUS:-http://prometheus:9090}"


def test_prometheus_may_do_what_it_needs_and_no_more() -> None:
    assert PROMETHEUS["read_only"] is True
    assert PROMETHEUS["cap_drop"] == ["ALL"]
    assert "ports" not in PROMETHEUS


def test_port_and_user_are_those_of_the_image() -> None:
    [port] = re.findall(r"^EXPOSE (\d+)$", IMAGE, re.MULTILINE)
    [user] = re.findall(r"^USER (\S+)$", IMAGE, re.MULTILINE)
    assert f"--port={port}" in SERVICE["command"]
    assert [_without_variables(found) for found in SERVICE["ports"]] == [f"127.0.0.1:given:{port}"]
    assert SERVICE["user"] == user
    # The image says whether it is healthy; the file does not say so again.
    assert "HEALTHCHECK" in IMAGE
    assert "healthcheck" not in SERVICE


def test_the_container_may_do_what_it_needs_and_reaches_nothing_else() -> None:
    assert SERVICE["read_only"] is True
    assert SERVICE["cap_drop"] == ["ALL"]
    assert SERVICE["tmpfs"] == ["/tmp"]
    deployment = (FILE.parent / "base" / "deployment.yaml").read_text("utf-8")
    [limit] = re.findall(r"limits: .*memory: (\d+)Mi", deployment)
    assert SERVICE["mem_limit"] == f"{limit}m"
    # The store and Grafana are in the other one, which they share by default.
    assert SERVICE["networks"] == ["service"]


def test_what_the_environment_switches_on_is_off_unless_it_is_given() -> None:
    assert SERVICE["environment"] == {name: f"${{{name}:-}}" for name in OPTIONS}


def test_every_variable_is_explained_and_none_that_must_be_given_is_guessed() -> None:
    text = FILE.read_text("utf-8")
    explained = set(re.findall(r"^#   ([A-Z_]+) ", text, re.MULTILINE))
    used = dict(re.findall(r"\$\{([A-Z_]+)(:[?-])", text))
    assert explained == used.keys()
    assert {name for name, how in used.items() if how == ":-"} == {
        "TRIAL_MOST_REQUESTS",
        "TRIAL_SERVICE_PORT",
        *OPTIONS,
    }


def test_boards_and_store_are_those_of_grafanas_own_file() -> None:
    [included] = CONTENT["include"]
    found = (FILE.parent / included).resolve()
    assert found == PROJECT / "grafana" / "compose.yaml"
    other = yaml.safe_load(found.read_text("utf-8"))
    assert other["name"] == CONTENT["name"]
    for part in each(["services", "networks", "secrets"]):
        assert not CONTENT[part].keys() & other.get(part, {}).keys()
