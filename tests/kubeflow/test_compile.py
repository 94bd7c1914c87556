"""`make compile`: from a study file to two files, by itself and by TFX's CLI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from tests.kubeflow.spec_walker import REPOSITORY
from tests.processor_time import children_seconds

pytestmark = pytest.mark.slow

COMPILE = REPOSITORY / "kubeflow" / "compile.py"
WITHOUT_NETWORK = f"""
import runpy, socket, sys

def refuse(*_):
    raise AssertionError("the network was asked for")

socket.socket.connect = socket.getaddrinfo = refuse
sys.argv[0] = {str(COMPILE)!r}
sys.path.insert(0, {str(REPOSITORY)!r})
runpy.run_path(sys.argv[0], run_name="__main__")
"""
IMPORTS = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner
import pipeline.runners.kubeflow.package
import pipeline.runners.kubeflow.settings
import pipeline.runners.kubeflow.spec_check
import pipeline.pipeline
"""


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=REPOSITORY,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def processor_seconds(*command: str | Path) -> float:
    before = children_seconds()
    assert run(*command).returncode == 0
    return children_seconds() - before


@dataclass(frozen=True)
class Compilation:
    """A study that was compiled without network.

    Attributes:
        folder: Where the packages are.
        ran: The process.
        seconds: What it took of the processor.
    """

    folder: Path
    ran: subprocess.CompletedProcess[str]
    seconds: float


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compilation:
    folder = tmp_path_factory.mktemp("packages")
    before = children_seconds()
    ran = run(sys.executable, "-c", WITHOUT_NETWORK, "--study", "ist", "--out", folder)
    return Compilation(folder, ran, children_seconds() - before)


def test_two_packages_are_written_without_network_and_data(compiled: Compilation) -> None:
    assert compiled.ran.returncode == 0, compiled.ran.stderr
    kubeflow, vertex = map(Path, compiled.ran.stdout.splitlines())
    assert (kubeflow.name, vertex.name) == ("trial-ist.yaml", "trial-ist.json")
    spec, platform = yaml.safe_load_all(kubeflow.read_text())
    # As the backend reads them: a field that it does not know is an error.
    json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())
    json_format.ParseDict(platform, pipeline_spec_pb2.PlatformSpec())
    assert json.loads(vertex.read_text())["pipelineSpec"] == spec


def test_nothing_but_the_files_names_is_said(compiled: Compilation) -> None:
    folder, ran = compiled.folder, compiled.ran
    assert ran.stdout == f"{folder}/trial-ist.yaml\n{folder}/trial-ist.json\n"
    assert "Traceback" not in ran.stderr


def test_a_mistake_is_one_message_and_no_traceback(tmp_path: Path) -> None:
    ran = run(sys.executable, COMPILE, "--study", "nowhere", "--out", tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("There is no study nowhere.")
    assert ran.stderr.count("\n") == 1


def test_compiling_takes_little_more_than_its_imports(
    compiled: Compilation, tmp_path: Path
) -> None:
    # The compilation before has brought the files into memory.
    most = 1.3 * processor_seconds(sys.executable, "-c", IMPORTS)
    # Other processes slow down a processor's caches too: a measurement above is repeated once.
    assert compiled.seconds <= most or (
        processor_seconds(sys.executable, COMPILE, "--out", tmp_path) <= most
    )


def test_tfxs_own_cli_compiles_it(tmp_path: Path) -> None:
    ran = run(
        *(Path(sys.executable).with_name("tfx"), "pipeline", "compile", "--engine=vertex"),
        f"--pipeline_path={COMPILE}",
        # The CLI asks `pip` for what is installed, and keeps its things in the home folder.
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        HOME=str(tmp_path),
        TRIAL_STUDY="actg175",
        TRIAL_OUT=str(tmp_path / "packages"),
    )
    assert ran.returncode == 0, ran.stderr
    assert "Pipeline trial-actg175 compiled successfully." in ran.stdout
    assert (tmp_path / "packages" / "trial-actg175.yaml").exists()
    assert (tmp_path / "packages" / "trial-actg175.json").exists()
