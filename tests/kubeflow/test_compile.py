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

pytestmark = pytest.mark.slow

COMPILE = REPOSITORY / "kubeflow" / "compile.py"
PACKAGES = """
import sys
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
WITHOUT_NETWORK = f"""
import runpy, socket, sys

def refuse(*_):
    raise AssertionError("the network was asked for")

socket.socket.connect = socket.getaddrinfo = refuse
sys.argv[0] = {str(COMPILE)!r}
sys.path.insert(0, {str(REPOSITORY)!r})
runpy.run_path(sys.argv[0], run_name="__main__")
"""
COMPILING = f"""
import runpy, sys
sys.argv[0] = {str(COMPILE)!r}
sys.path.insert(0, {str(REPOSITORY)!r})
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as end:
    assert not end.code
{PACKAGES}
"""
IMPORTS = f"""
from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner
import pipeline.cli.main
import pipeline.runners.kubeflow.package
import pipeline.runners.kubeflow.settings
import pipeline.runners.kubeflow.spec_check
import pipeline.pipeline
{PACKAGES}
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


def packages_imported(code: str, *arguments: str | Path) -> set[str]:
    ran = run(sys.executable, "-c", code, *arguments)
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.splitlines()[-1].split())


@dataclass(frozen=True)
class Compilation:
    """A study that was compiled without network.

    Attributes:
        folder: Where the packages are.
        ran: The process.
    """

    folder: Path
    ran: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compilation:
    folder = tmp_path_factory.mktemp("packages")
    ran = run(sys.executable, "-c", WITHOUT_NETWORK, "--study", "ist", "--out", folder)
    return Compilation(folder, ran)


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


def test_compiling_imports_no_package_but_those_of_the_graph(tmp_path: Path) -> None:
    more = packages_imported(COMPILING, "--out", tmp_path) - packages_imported(IMPORTS)
    assert not more


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
