"""The image of the tasks, really built and run in real containers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.bill_of_materials import SPECIFICATION
from pipeline.runners.kubeflow.record import RECORD
from pipeline.version import PROJECT, code_version
from tests.each import each
from tests.kubeflow.image_build import in_container

pytestmark = pytest.mark.slow

LARGEST = 2_600_000_000
CHECK = ["python", "-m", "pipeline.runners.kubeflow.entrypoint", "--check"]


@pytest.fixture(scope="module")
def described(image: str) -> Any:
    listed = subprocess.run(
        ["podman", "image", "inspect", image], capture_output=True, text=True, check=True
    )
    return json.loads(listed.stdout)[0]


def test_it_stays_below_its_limit(described: Any, capsys: pytest.CaptureFixture[str]) -> None:
    size = described["Size"]
    with capsys.disabled():
        sys.stdout.write(f"\nThe image has {size / 1e9:.2f} GB, its base included.\n")
    assert size <= LARGEST


def test_its_labels_have_the_names_of_the_oci(described: Any) -> None:
    revision = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout.strip()
    labels = {
        name.removeprefix("org.opencontainers.image."): value
        for name, value in described["Labels"].items()
    }
    assert labels["version"] == code_version()
    assert labels["revision"] == revision
    assert labels["licenses"] == "Apache-2.0"
    assert {"title", "description"} <= set(labels)


def test_its_bill_of_materials_is_that_of_what_is_in_it(image: str) -> None:
    ran = in_container(image, ["cat", "/opt/trial/bill-of-materials.cdx.json"])
    bill = json.loads(ran.stdout)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", SPECIFICATION)
    parts = {item["name"]: item["version"] for item in bill["components"]}
    lock = (PROJECT / "requirements" / "tfx121" / "runtime.txt").read_text()
    assert f"tensorflow=={parts['tensorflow']}" in lock
    # What is removed is not said to be there; Debian's compiler never was.
    assert "libc6" in parts
    assert not {"libclang", "google-cloud-aiplatform", "g++"} & set(parts)


def test_its_health_check_is_the_entrypoints(described: Any) -> None:
    assert described["Healthcheck"]["Test"] == ["CMD", *CHECK]


def test_the_check_passes_as_the_images_own_user_read_only_without_network(image: str) -> None:
    ran = in_container(image)
    assert ran.returncode == 0, ran.stderr[-4000:]
    lines = [line for line in ran.stderr.splitlines() if line.startswith(RECORD)]
    [record] = [json.loads(line.removeprefix(RECORD)) for line in lines]
    assert (record["stage"], record["status"]) == ("CuratedSchema", "done")


def test_the_check_passes_as_a_user_that_a_cluster_chose(image: str) -> None:
    ran = in_container(image, CHECK, ["--user=123456:0"])
    assert ran.returncode == 0, ran.stderr[-4000:]


def test_the_check_fails_when_a_component_is_broken(image: str, tmp_path: Path) -> None:
    broken = tmp_path / "executor.py"
    broken.write_text("")
    place = "/app/components/curated_schema/executor.py"
    ran = in_container(image, CHECK, [f"--volume={broken}:{place}:ro"])
    assert ran.returncode != 0


def test_its_user_is_not_root_and_owns_nothing_that_runs(image: str) -> None:
    ran = in_container(
        image, ["sh", "-c", "id -u; find /app /opt/trial ! -type l -writable | head"]
    )
    assert ran.stdout.split() == ["1000"]


def test_what_is_only_for_development_is_left_out(image: str) -> None:
    ran = in_container(image, ["sh", "-c", "ls /app; ls /opt/trial/bin; command -v g++ gcc make"])
    found = set(ran.stdout.split())
    assert {"pipeline", "components", "trainer", "schema"} <= found
    assert not found & {"tests", "benchmarks", "notebooks", "pytest", "ruff", "mypy", "uv"}
    assert not [name for name in found if name.startswith("/")]


def test_where_packages_came_from_stands_nowhere(image: str, described: Any) -> None:
    ran = in_container(image, ["ls", "/etc/pip.conf", "/etc/uv"])
    assert ran.stdout == ""
    variables = {entry.partition("=")[0] for entry in described["Config"]["Env"]}
    assert not [name for name in each(variables) if name.startswith(("PIP_", "UV_"))]
    assert "index" not in json.dumps(described["History"])


def test_nothing_is_compiled_when_a_task_starts(image: str) -> None:
    # A module without bytecode beside it is compiled again in every read-only container.
    program = (
        "import importlib.util, pathlib;"
        "names = ['tensorflow', 'tfx', 'apache_beam', 'pipeline.pipeline', 'trainer.run'];"
        "places = [importlib.util.find_spec(name).cached for name in names];"
        "print([place for place in places if not pathlib.Path(place).exists()])"
    )
    ran = in_container(image, ["python", "-c", program])
    assert ran.stdout.strip() == "[]", ran.stderr[-2000:]


def test_no_bytecode_depends_on_the_time_of_the_build(image: str) -> None:
    # PEP 552: flags 1 and 3 are a hash of the source, unchecked and checked; 0 is its time.
    program = (
        "import collections, pathlib;"
        "files = [f for d in ('/app', '/opt/trial') for f in pathlib.Path(d).rglob('*.pyc')];"
        "print(*collections.Counter(f.read_bytes()[4] for f in files).items())"
    )
    ran = in_container(image, ["python", "-c", program])
    assert re.fullmatch(r"\([13], \d+\) \([13], \d+\)", ran.stdout.strip()), ran.stdout
