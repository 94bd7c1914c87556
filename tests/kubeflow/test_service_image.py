"""The image of the prediction service, really built, and a service in a container of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.bill_of_materials import SPECIFICATION
from pipeline.version import PROJECT, code_version
from tests.kubeflow.image_build import (
    SERVICE,
    build_image,
    in_container,
    inside,
    remove_image,
    started,
)
from tests.pipeline.service.hand_made import STUDY, SUBJECT, log_odds, register, risk, save
from tests.pipeline.service.processes import message

pytestmark = pytest.mark.slow

LARGEST = 1_600_000_000
MOST_MEMORY_KIB = 700_000
ASK = """
import json, sys, urllib.request
body = None if len(sys.argv) < 3 else sys.argv[2].encode()
with urllib.request.urlopen("http://127.0.0.1:8080" + sys.argv[1], body, timeout=60) as answer:
    print(answer.read().decode())
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    build_image(tmp_path_factory.mktemp("service"), SERVICE)
    yield SERVICE
    remove_image(SERVICE)


@pytest.fixture(scope="module")
def container(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A container that serves a registered model, once it is ready."""
    folder = tmp_path_factory.mktemp("served")
    register(folder / "registry", save(folder / "model"), folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    mounted = [f"--volume={folder / 'registry'}:/registry:ro"]
    with started(image, [STUDY, "--registry", "/registry"], mounted) as container:
        _wait_until_it_listens(container)
        yield container


def _wait_until_it_listens(container: str) -> None:
    command = ["podman", "logs", "--follow", container]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as logs:
        assert logs.stderr is not None
        said = []
        for line in logs.stderr:
            said.append(message(line))
            if said[-1].startswith("Serves"):
                logs.terminate()
                return
    pytest.fail("".join(said))


def ask(container: str, path: str, *body: str) -> subprocess.CompletedProcess[str]:
    """Asks the service from within its container, which has no network."""
    return inside(container, "python", "-c", ASK, path, *body)


def test_it_stays_below_its_limit_and_has_labels(
    image: str, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = subprocess.run(
        ["podman", "image", "inspect", image], capture_output=True, text=True, check=True
    )
    described: Any = json.loads(listed.stdout)[0]
    with capsys.disabled():
        sys.stdout.write(f"\nThe image has {described['Size'] / 1e9:.2f} GB, its base included.\n")
    assert described["Size"] <= LARGEST
    assert described["Labels"]["org.opencontainers.image.version"] == code_version()
    assert described["Config"]["User"] == "1000:1000"


def test_its_bill_of_materials_has_neither_tfx_nor_beam(image: str) -> None:
    ran = in_container(image, ["cat", "/opt/trial/bill-of-materials.cdx.json"])
    bill = json.loads(ran.stdout)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", SPECIFICATION)
    parts = {item["name"]: item["version"] for item in bill["components"]}
    lock = (PROJECT / "requirements" / "serve.txt").read_text()
    assert f"tensorflow-cpu=={parts['tensorflow-cpu']}" in lock
    assert not {"tfx", "apache-beam", "tensorboard", "pip", "libclang", "binutils"} & set(parts)


def test_its_user_owns_nothing_that_runs(image: str) -> None:
    ran = in_container(
        image, ["sh", "-c", "id -u; find /app /opt/trial ! -type l -writable | head"]
    )
    assert ran.stdout.split() == ["1000"]


def test_it_answers_with_the_same_numbers_read_only_and_without_privileges(container: str) -> None:
    answer = ask(container, "/predict", json.dumps({"subject": SUBJECT, "contributions": True}))
    assert answer.returncode == 0, answer.stderr
    death = json.loads(answer.stdout)["predictions"]["death"]
    assert death["probability"] == pytest.approx(risk(log_odds(60, 30, "F", "Active")), abs=1e-6)
    assert ask(container, "/").stdout.startswith("<!doctype html>")


def test_it_needs_no_more_memory_than_a_pod_has(container: str) -> None:
    status = inside(container, "cat", "/proc/1/status").stdout
    [used] = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")]
    assert used <= MOST_MEMORY_KIB
