"""RunPage as a component: what it reads, and what it leaves behind."""

import json
from pathlib import Path
from typing import Any

import pytest
from tfx.types import channel_utils, standard_artifacts

from components.artifact_types import (
    GateFindings,
    KubeflowClassificationMetrics,
    KubeflowHTML,
    KubeflowMarkdown,
    KubeflowMetrics,
    ModelRegistration,
    ModelVerdict,
    TrialRejects,
)
from components.run_page.component import RunPage
from components.run_page.executor import Executor
from pipeline.errors import UserError
from pipeline.pages.evaluation.settings import RunPageSettings
from pipeline.study.load import load_study
from pipeline.study.shipped import SCHEMAS
from tests.components.run_page.hand_made_run import page_settings, write

INPUTS = {
    "verdict": ModelVerdict,
    "findings": GateFindings,
    "rejects": TrialRejects,
    "registration": ModelRegistration,
    "model_run": standard_artifacts.ModelRun,
}
OUTPUTS = {
    "html": KubeflowHTML,
    "summary": KubeflowMarkdown,
    "metrics_death": KubeflowMetrics,
    "metrics_bleed": KubeflowMetrics,
    "curves_death": KubeflowClassificationMetrics,
    "curves_bleed": KubeflowClassificationMetrics,
}
VERSIONS = {"fingerprint": "f" * 64, "code_version": "1.2.3"}
PROPERTIES = VERSIONS | {"settings": page_settings().to_json()}


def artifact(kind: Any, path: Path) -> Any:
    made = kind()
    made.uri = str(path)
    return made


def execute(tmp_path: Path, as_folders: bool) -> Any:
    """Runs the executor; TFX's driver makes a folder for each output, Kubeflow's does not."""
    write(tmp_path / "written")
    inputs = {key: [artifact(kind, tmp_path / "written")] for key, kind in INPUTS.items()}
    outputs = {key: [artifact(kind, tmp_path / "out" / key)] for key, kind in OUTPUTS.items()}
    if as_folders:
        for [output] in outputs.values():
            Path(output.uri).mkdir(parents=True)
    else:
        (tmp_path / "out").mkdir()
    Executor().Do(inputs, outputs, PROPERTIES)
    return {key: output for key, [output] in outputs.items()}


@pytest.fixture(
    scope="module", params=[True, False], ids=["folders are there", "no folders are there"]
)
def outputs(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Any:
    return execute(tmp_path_factory.mktemp("run_page"), request.param)


def test_the_page_is_one_file_at_the_artifacts_address(outputs: Any) -> None:
    assert Path(outputs["html"].uri).read_text().startswith("<!doctype html>")


def test_the_summary_is_one_file_at_the_artifacts_address(outputs: Any) -> None:
    assert Path(outputs["summary"].uri).read_text().startswith("# A demonstration trial")


@pytest.mark.parametrize("task", ["death", "bleed"])
def test_a_tasks_numbers_are_properties_of_its_artifact(outputs: Any, task: Any) -> None:
    found = outputs[f"metrics_{task}"]

    assert found.get_float_custom_property("auc") == 0.72
    assert json.loads(Path(found.uri).read_text())["auc"] == 0.72


@pytest.mark.parametrize("task", ["death", "bleed"])
def test_a_tasks_curves_are_properties_of_its_artifact(outputs: Any, task: Any) -> None:
    found = outputs[f"curves_{task}"]

    roc = found.get_json_value_custom_property("confidenceMetrics")
    assert roc[1] == {"confidenceThreshold": 0.3, "recall": 0.6, "falsePositiveRate": 0.2}
    matrix = found.get_json_value_custom_property("confusionMatrix")
    assert matrix["rows"] == [{"row": [256, 64]}, {"row": [32, 48]}]
    assert set(json.loads(Path(found.uri).read_text())) == {"confidenceMetrics", "confusionMatrix"}


def test_a_folder_that_holds_something_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "out" / "html").mkdir(parents=True)
    (tmp_path / "out" / "html" / "kept").write_text("something")
    write(tmp_path / "written")
    inputs = {key: [artifact(kind, tmp_path / "written")] for key, kind in INPUTS.items()}
    outputs = {key: [artifact(kind, tmp_path / "out" / key)] for key, kind in OUTPUTS.items()}

    with pytest.raises(Exception, match="html"):
        Executor().Do(inputs, outputs, PROPERTIES)

    assert (tmp_path / "out" / "html" / "kept").read_text() == "something"


def test_a_missing_file_of_another_stage_is_named(tmp_path: Path) -> None:
    write(tmp_path / "written")
    (tmp_path / "written" / "curves.json").unlink()
    inputs = {key: [artifact(kind, tmp_path / "written")] for key, kind in INPUTS.items()}
    outputs = {key: [artifact(kind, tmp_path / "out" / key)] for key, kind in OUTPUTS.items()}

    with pytest.raises(UserError, match=r"curves\.json.*TrialEvaluator"):
        Executor().Do(inputs, outputs, PROPERTIES)


def component() -> Any:
    channels = {key: channel_utils.as_channel([kind()]) for key, kind in INPUTS.items()}
    return RunPage(**channels, **VERSIONS, settings=page_settings())


def test_each_task_has_outputs_of_its_own_name() -> None:
    found = {key: channel.type for key, channel in component().outputs.items()}

    assert found == OUTPUTS


def test_the_types_are_those_that_kubeflow_shows() -> None:
    assert {kind.TYPE_NAME for kind in OUTPUTS.values()} == {  # type: ignore[attr-defined]
        "system.HTML",
        "system.Markdown",
        "system.Metrics",
        "system.ClassificationMetrics",
    }


@pytest.mark.parametrize("kind", sorted(set(OUTPUTS.values()), key=str))
def test_tfx_compiles_the_types_without_properties(kind: Any) -> None:
    from tfx.orchestration.kubeflow.v2 import compiler_utils

    schema = compiler_utils.get_artifact_schema(kind)

    assert schema == f"title: {kind.TYPE_NAME}\ntype: object\n"


def test_two_studies_have_components_of_their_own() -> None:
    """A specification is a class: one study's tasks must not appear in another's outputs."""
    other = page_settings().model_copy(update={"tasks": {}})
    channels = {key: channel_utils.as_channel([kind()]) for key, kind in INPUTS.items()}

    component()
    small = RunPage(**channels, **VERSIONS, settings=other)

    assert set(small.outputs) == {"html", "summary"}


def test_the_parameter_of_a_shipped_study_is_read_back() -> None:
    study = load_study(SCHEMAS / "synthetic" / "study.yaml")

    settings = RunPageSettings.from_json(RunPageSettings.of(study).to_json())

    assert settings.title == study.title
    assert list(settings.tasks) == list(study.tasks)
    assert settings.thresholds == tuple(study.thresholds)


def test_another_parameter_is_refused() -> None:
    with pytest.raises(UserError, match=r"RunPageSettings.*study_name"):
        RunPageSettings.from_json('{"title": "demo"}')
