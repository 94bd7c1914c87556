"""The package that a study is compiled to."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.config import RunConfig
from pipeline.pipeline import create_pipeline
from pipeline.runners.kubeflow.entrypoint import executor_parameters
from pipeline.runners.kubeflow.package import (
    RUN_INPUTS,
    Package,
    compile_package,
    tfx_runner,
)
from pipeline.runners.kubeflow.purpose import Purpose, training, validation
from pipeline.runners.kubeflow.settings import KubeflowSettings, gigabytes, load_settings
from pipeline.runners.kubeflow.spec_check import problems
from pipeline.stage_code import code_digest, entry_modules
from pipeline.study.load import load_study, parse_study
from pipeline.study.shipped import SCHEMAS, read_schema
from tests.each import each

STUDIES = sorted(path.parent.name for path in SCHEMAS.glob("*/study.yaml"))
SETTINGS: dict[str, Any] = {
    "image": "registry.example.org/trial:1",
    "registry_root": "s3://bucket/registry",
    "secrets": {
        "TRIAL_SUBJECT_KEY": {"secret": "subject-key", "key": "key"},
        "TRIAL_STORE_PASSWORD": {"secret": "store", "key": "password", "optional": True},
    },
    "volumes": {"/models": "trial-models"},
    "resources": {
        "Trainer": {"cpu": 4, "memory": "8Gi", "accelerator": {"type": "nvidia.com/gpu"}},
    },
}


@dataclass(frozen=True)
class Compiled:
    """A package, and what is asked of it."""

    package: Package

    @property
    def tasks(self) -> dict[str, Any]:
        found: dict[str, Any] = self.package.spec["root"]["dag"]["tasks"]
        return found

    @property
    def form(self) -> dict[str, Any]:
        found: dict[str, Any] = self.package.spec["root"]["inputDefinitions"]["parameters"]
        return found

    def component(self, task: str) -> dict[str, Any]:
        name = self.tasks[task]["componentRef"]["name"]
        found: dict[str, Any] = self.package.spec["components"][name]
        return found

    def container(self, task: str) -> dict[str, Any]:
        label = self.component(task)["executorLabel"]
        executors = self.package.spec["deploymentSpec"]["executors"]
        found: dict[str, Any] = executors[label]["container"]
        return found


def compiled(study: str = "synthetic", purpose: Purpose | None = None, **changes: Any) -> Compiled:
    file = SCHEMAS / study / "study.yaml"
    settings = KubeflowSettings.model_validate(SETTINGS | changes)
    runner = tfx_runner(settings, Path("never-written.json"))
    return Compiled(
        compile_package(
            load_study(file), read_schema(file), settings, runner, purpose or training()
        )
    )


def local_config(seed: int, steps: int) -> RunConfig:
    """A run of the synthetic trial on this machine, never started."""
    file = SCHEMAS / "synthetic" / "study.yaml"
    return RunConfig(
        study=load_study(file),
        schema=read_schema(file),
        data_root="data",
        fingerprint="f1",
        subject_key="env:TRIAL_SUBJECT_KEY",
        subject_key_id="k1",
        pipeline_name="trial-synthetic",
        pipeline_root="artifacts",
        metadata_path="metadata.sqlite",
        serving_dir="serving",
        registry_root="registry",
        champion_token="none",
        inherited_division="none",
        look="",
        code_version="0.1.0",
        dependency_lock="",
        seed=seed,
        steps=steps,
        tune=False,
        beam_args=(),
        run_id="r1",
        runner="local",
        started_by="a_user",
        store="",
        data_modified=None,
    )


@pytest.fixture(scope="module")
def synthetic() -> Compiled:
    return compiled()


@pytest.fixture(scope="module")
def of_validation() -> Compiled:
    return compiled(purpose=validation("logistic_recalibration"))


@pytest.mark.parametrize("study", STUDIES)
def test_every_shipped_studys_package_is_taken(study: str) -> None:
    assert problems(compiled(study).package.spec) == []


def test_the_same_study_is_the_same_package(synthetic: Compiled) -> None:
    assert compiled().package.to_yaml() == synthetic.package.to_yaml()


def test_the_package_says_which_study_file_it_was_made_from(synthetic: Compiled) -> None:
    digest = load_study(SCHEMAS / "synthetic" / "study.yaml").digest()
    assert digest in synthetic.package.spec["pipelineInfo"]["description"]


def test_every_field_of_the_form_has_type_default_and_description(synthetic: Compiled) -> None:
    assert set(synthetic.form) == {
        "data_root",
        "data_fingerprint",
        "seed",
        "steps",
        "beam_options",
        "registry_root",
        "metrics_store",
    }
    for field in synthetic.form.values():
        assert field["parameterType"] in ("STRING", "NUMBER_INTEGER")
        assert "defaultValue" in field
        assert field["description"]


def test_the_form_of_a_validation_has_no_choices_of_training(of_validation: Compiled) -> None:
    assert set(of_validation.form) == {
        "data_root",
        "data_fingerprint",
        "beam_options",
        "registry_root",
        "metrics_store",
    }


def test_the_training_steps_default_to_the_studys(synthetic: Compiled) -> None:
    study = load_study(SCHEMAS / "synthetic" / "study.yaml")
    assert synthetic.form["steps"]["defaultValue"] == study.training.steps


@pytest.mark.parametrize("package", ["synthetic", "of_validation"])
def test_every_field_of_the_form_reaches_a_task(
    package: str, request: pytest.FixtureRequest
) -> None:
    found: Compiled = request.getfixturevalue(package)
    reached = {
        source.get("componentInputParameter")
        for task in found.tasks.values()
        for source in task["inputs"].get("parameters", {}).values()
    }
    assert set(found.form) <= reached


def test_what_decides_about_caching_is_never_cached(synthetic: Compiled) -> None:
    assert synthetic.tasks[RUN_INPUTS]["cachingOptions"] == {"enableCache": False}


def test_every_other_task_is_cached(synthetic: Compiled) -> None:
    for name in each(set(synthetic.tasks) - {RUN_INPUTS}):
        assert synthetic.tasks[name]["cachingOptions"] == {"enableCache": True}, name


def test_the_examples_depend_on_data_and_key(synthetic: Compiled) -> None:
    taken = synthetic.tasks["TrialExampleGen"]["inputs"]["parameters"]
    for name in ("fingerprint", "subject_key_id"):
        assert taken[name]["taskOutputParameter"]["producerTask"] == RUN_INPUTS


def test_the_last_champion_depends_on_the_registrys_pointer(synthetic: Compiled) -> None:
    taken = synthetic.tasks["ChampionModel"]["inputs"]["parameters"]
    assert taken["champion_token"]["taskOutputParameter"]["outputParameterKey"] == "champion_token"


def test_every_task_depends_on_the_code_in_its_image(synthetic: Compiled) -> None:
    for name in each(set(synthetic.tasks) - {RUN_INPUTS}):
        task = synthetic.tasks[name]
        source = task["inputs"]["parameters"]["code_digest"]["taskOutputParameter"]
        key = f"code_digest_{name}"
        assert source == {"producerTask": RUN_INPUTS, "outputParameterKey": key}, name
        assert RUN_INPUTS in task["dependentTasks"], name


def test_run_inputs_gets_the_modules_that_each_stage_starts_in(synthetic: Compiled) -> None:
    taken = synthetic.tasks[RUN_INPUTS]["inputs"]["parameters"]
    code = json.loads(taken["code"]["runtimeValue"]["constant"])
    assert set(code) == set(synthetic.tasks) - {RUN_INPUTS}
    assert code["TrialEvaluator"] == ["components.evaluator.executor"]
    assert code["Trainer"] == ["trainer.run"]


def test_locally_the_code_of_every_node_is_a_parameter_of_it() -> None:
    for node in each(create_pipeline(local_config(seed=11, steps=40)).components):
        assert node.exec_properties["code_digest"] == code_digest(entry_modules(node)), node.id


def test_what_is_found_out_is_an_output(synthetic: Compiled) -> None:
    outputs = synthetic.component(RUN_INPUTS)["outputDefinitions"]["parameters"]
    stages = set(synthetic.tasks) - {RUN_INPUTS}
    assert set(outputs) == {*training().found_out, *(f"code_digest_{name}" for name in stages)}


def test_every_task_starts_in_the_projects_entrypoint(synthetic: Compiled) -> None:
    for name in each(set(synthetic.tasks) - {RUN_INPUTS}):
        container = synthetic.container(name)
        assert container["command"] == ["python", "-m", "pipeline.runners.kubeflow.entrypoint"], (
            name
        )
        assert f"--stage={name}" in container["args"]


def test_a_task_gets_its_inputs_as_they_were_declared(synthetic: Compiled) -> None:
    arguments = synthetic.container("Trainer")["args"]
    told = json.loads(arguments[arguments.index("--json_serialized_inputs_spec_args") + 1])
    assert told == synthetic.component("Trainer")["inputDefinitions"]


def test_a_task_gets_its_outputs_as_they_were_declared(synthetic: Compiled) -> None:
    arguments = synthetic.container("Trainer")["args"]
    told = json.loads(arguments[arguments.index("--outputs_spec") + 1])
    assert told == synthetic.component("Trainer")["outputDefinitions"]


@pytest.mark.parametrize(
    ("field", "stages"),
    [
        ("seed", {"Transform", "Trainer", "CrossFit", "ReferenceModels"}),
        ("steps", {"Trainer", "CrossFit"}),
    ],
)
def test_seed_and_steps_reach_what_they_change_alone(
    synthetic: Compiled, field: str, stages: set[str]
) -> None:
    taken = {
        name: task["inputs"]["parameters"][field]
        for name, task in synthetic.tasks.items()
        if field in task["inputs"]["parameters"]
    }
    told = {RUN_INPUTS, "MetricsExporter"}
    assert taken == {stage: {"componentInputParameter": field} for stage in stages | told}


def test_the_training_gets_the_parameters_of_a_local_run(synthetic: Compiled) -> None:
    (trainer,) = (
        node
        for node in create_pipeline(local_config(seed=11, steps=40)).components
        if node.id == "Trainer"
    )
    fixed = {
        name: source["runtimeValue"]["constant"]
        for name, source in synthetic.tasks["Trainer"]["inputs"]["parameters"].items()
        if "runtimeValue" in source
    }
    found = executor_parameters(fixed | {"seed": 11, "steps": 40})
    for name in ("custom_config", "train_args", "eval_args"):
        assert json.loads(found[name]) == json.loads(trainer.exec_properties[name]), name


DECIDES_METRICS = ("TrialExampleGen", "Trainer", "CrossFit", "ReferenceModels", "TrialEvaluator")
SCHEMES = ({"scheme": "cross_fit"}, {"scheme": "internal_external", "by": "site"})


def _parsed(value: object) -> object:
    """A parameter's content: the compiler may write JSON with other blanks."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


@pytest.mark.parametrize("evaluation", SCHEMES, ids=lambda content: content["scheme"])
def test_out_of_fold_every_stage_gets_the_parameters_of_a_local_run(
    evaluation: dict[str, Any],
) -> None:
    """The same code on equal examples: the metrics are equal on both runners."""
    file = SCHEMAS / "synthetic" / "study.yaml"
    content = load_study(file).to_content()
    study = parse_study({**content, "evaluation": evaluation}, "a study")
    runner = tfx_runner(KubeflowSettings.model_validate(SETTINGS), Path("never-written.json"))
    package = Compiled(
        compile_package(
            study,
            read_schema(file),
            KubeflowSettings.model_validate(SETTINGS),
            runner,
            training(),
        )
    )
    config = dataclasses.replace(local_config(seed=11, steps=40), study=study)
    nodes = {node.id: node for node in create_pipeline(config).components}
    for stage in DECIDES_METRICS:
        fixed = {
            name: source["runtimeValue"]["constant"]
            for name, source in package.tasks[stage]["inputs"]["parameters"].items()
            if "runtimeValue" in source
        }
        given = executor_parameters(fixed | {"seed": 11, "steps": 40})
        local = nodes[stage].exec_properties
        compared = set(given) & set(local)
        assert compared & {"settings", "custom_config"}, stage
        for name in each(compared):
            assert _parsed(given[name]) == _parsed(local[name]), (stage, name)


def test_stages_on_beam_get_its_options(synthetic: Compiled) -> None:
    told = {
        name
        for name, task in synthetic.tasks.items()
        if "beam_options" in task["inputs"]["parameters"]
    }
    assert {"TrialExampleGen", "StatisticsGen", "Transform"} <= told
    assert "Trainer" not in told


def test_the_pages_artifacts_have_kubeflows_own_types(synthetic: Compiled) -> None:
    outputs = synthetic.component("RunPage")["outputDefinitions"]["artifacts"]
    titles = {name: found["artifactType"]["schemaTitle"] for name, found in outputs.items()}
    assert titles["html"] == "system.HTML"
    assert titles["summary"] == "system.Markdown"
    assert titles["metrics_worsening"] == "system.Metrics"
    assert titles["curves_worsening"] == "system.ClassificationMetrics"


def test_a_stage_has_the_resources_that_are_set(synthetic: Compiled) -> None:
    resources = synthetic.container("Trainer")["resources"]
    assert resources["resourceCpuLimit"] == "4"
    assert resources["resourceMemoryLimit"] == "8Gi"
    assert resources["memoryLimit"] == pytest.approx(8.59, abs=0.01)
    assert resources["accelerator"]["resourceType"] == "nvidia.com/gpu"
    assert resources["accelerator"]["resourceCount"] == "1"


def test_tasks_that_run_at_once_fit_on_a_small_node() -> None:
    waiting = dict(compiled().tasks)
    while waiting:
        ready = [
            name
            for name, task in waiting.items()
            if not waiting.keys() & set(task.get("dependentTasks", ()))
        ]
        reserved = [load_settings().resources_of(name).requested for name in each(ready)]
        # Of 2 cores and 8 GiB a quarter is for the system and Kubeflow's own pods.
        assert sum(cpu for cpu, _ in reserved) <= 1.5, ready
        assert sum(gigabytes(memory) for _, memory in reserved) <= 6.5, ready
        waiting = {name: task for name, task in waiting.items() if name not in ready}


def test_a_stage_reserves_less_than_its_limit(synthetic: Compiled) -> None:
    resources = synthetic.container("Trainer")["resources"]
    assert resources["resourceCpuRequest"] == "0.25"
    assert resources["resourceMemoryRequest"] == "1Gi"
    assert resources["cpuRequest"] == 0.25
    assert resources["memoryRequest"] == pytest.approx(1.07, abs=0.01)


def test_another_stage_has_the_default_resources(synthetic: Compiled) -> None:
    resources = synthetic.container("StatisticsGen")["resources"]
    assert resources["resourceCpuLimit"] == "1"
    assert "accelerator" not in resources


def test_a_failed_task_is_tried_again() -> None:
    tasks = compiled(retries=3).tasks.values()
    assert {task["retryPolicy"]["maxRetryCount"] for task in tasks} == {3}


def test_no_retries_are_no_policy() -> None:
    assert not any("retryPolicy" in task for task in each(compiled(retries=0).tasks.values()))


def test_every_task_has_secrets_and_volumes(synthetic: Compiled) -> None:
    executors = synthetic.package.platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert set(executors) == set(synthetic.package.spec["deploymentSpec"]["executors"])
    for executor in executors.values():
        assert executor["secretAsEnv"] == [
            {
                "secretName": "subject-key",
                "keyToEnv": [{"secretKey": "key", "envVar": "TRIAL_SUBJECT_KEY"}],
            },
            {
                "secretName": "store",
                "keyToEnv": [{"secretKey": "password", "envVar": "TRIAL_STORE_PASSWORD"}],
                "optional": True,
            },
        ]
        assert executor["pvcMount"] == [{"constant": "trial-models", "mountPath": "/models"}]


def test_without_secrets_and_volumes_the_package_is_one_document() -> None:
    text = compiled(secrets={}, volumes={}).package.to_yaml()
    assert len(list(yaml.safe_load_all(text))) == 1


def test_without_a_serving_folder_the_registry_alone_holds_the_model(synthetic: Compiled) -> None:
    assert "Pusher" not in synthetic.tasks
    assert "pushed_model" not in synthetic.tasks["ModelRegistrar"]["inputs"]["artifacts"]


def test_with_a_serving_folder_a_model_is_pushed_before_it_is_registered() -> None:
    tasks = compiled(serving_dir="/models/serving").tasks
    destination = tasks["Pusher"]["inputs"]["parameters"]["push_destination"]
    assert "/models/serving" in destination["runtimeValue"]["constant"]
    assert "Pusher" in tasks["ModelRegistrar"]["dependentTasks"]


def test_tuning_is_fixed_in_the_package() -> None:
    tuned = compiled(purpose=training(tune=True))
    assert problems(tuned.package.spec) == []
    assert tuned.tasks["Tuner"]["inputs"]["parameters"]["steps"]
    assert "Hyperparameters are searched" in tuned.package.spec["pipelineInfo"]["description"]


def test_a_validations_package_is_taken_and_trains_nothing(of_validation: Compiled) -> None:
    assert problems(of_validation.package.spec) == []
    assert of_validation.package.spec["pipelineInfo"]["name"] == "valid-synthetic"
    assert set(of_validation.tasks) == {
        *(RUN_INPUTS, "RegisteredModel", "TrialExampleGen", "StatisticsGen", "CuratedSchema"),
        *("ExampleValidator", "DataGate", "TrialEvaluator", "ExternalValidation", "UpdatedModel"),
        "MetricsExporter",
    }


def test_every_task_of_a_validation_says_so_to_the_store(of_validation: Compiled) -> None:
    for name in each(set(of_validation.tasks) - {RUN_INPUTS}):
        assert "--kind=validation" in of_validation.container(name)["args"], name
    told = of_validation.tasks[RUN_INPUTS]["inputs"]["parameters"]["kind"]
    assert told == {"runtimeValue": {"constant": "validation"}}


def test_the_update_is_fixed_in_a_validations_package(of_validation: Compiled) -> None:
    assert (
        "updated by logistic recalibration"
        in (of_validation.package.spec["pipelineInfo"]["description"])
    )
    assert "UpdatedModel" not in compiled(purpose=validation()).tasks


def test_the_validated_model_depends_on_the_registrys_pointer(of_validation: Compiled) -> None:
    taken = of_validation.tasks["RegisteredModel"]["inputs"]["parameters"]
    assert taken["champion_token"]["taskOutputParameter"]["outputParameterKey"] == "champion_token"
    assert taken["registry_root"] == {"componentInputParameter": "registry_root"}


def test_vertex_is_given_the_same_pipeline_and_its_defaults(synthetic: Compiled) -> None:
    job = json.loads(synthetic.package.to_vertex_json())
    assert job["pipelineSpec"] == synthetic.package.spec
    assert job["runtimeConfig"]["parameterValues"] == {
        name: field["defaultValue"] for name, field in synthetic.form.items()
    }
