"""Compiles a study's pipeline to a package for Kubeflow Pipelines and for Vertex AI.

TFX's compiler creates the tasks; what it omits, and what open-source Kubeflow Pipelines does
not accept, is corrected in the specification that it returns:

- a first task, `RunInputs`, determines what caching depends on when the run starts: the
  fingerprint of the data, the key of the subject hash, the champion, each stage's code;
- before it, `DataSnapshot` reads the SQL database of a study that has one;
- runtime parameters get their defaults and descriptions;
- tasks get resources, retries, secrets and volumes;
- artifacts of Kubeflow's own types get their names;
- tasks that the settings put into one pod become one;
- the entrypoint gets the types of its outputs, the stage and the run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from pipeline.beam.choices import Runner
from pipeline.config import RunConfig, Settings
from pipeline.errors import UserError
from pipeline.names import KUBEFLOW, MONITORING
from pipeline.runners.kubeflow.handover import INSIDE, KUBEFLOW_TYPES, schema_title
from pipeline.runners.kubeflow.pods import share_pods
from pipeline.runners.kubeflow.purpose import Purpose
from pipeline.runners.kubeflow.resources import resource_spec
from pipeline.runners.kubeflow.settings import KubeflowSettings
from pipeline.runners.kubeflow.snapshot_task import (
    DATA_SNAPSHOT,
    SNAPSHOT,
    add_snapshot_task,
    check_snapshot,
    take_from_snapshot_task,
)
from pipeline.stage_code import CODE_DIGEST, entry_modules
from pipeline.study.study import Study
from pipeline.subject_key import KEY_IN_ENVIRONMENT
from pipeline.titles import title_or_name
from pipeline.version import code_version, lock_digest

if TYPE_CHECKING:
    from tfx.orchestration.data_types import RuntimeParameter
    from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import KubeflowV2DagRunner
    from tfx.orchestration.pipeline import Pipeline

Spec = dict[str, Any]

ENTRYPOINT = ("python", "-m", "pipeline.runners.kubeflow.entrypoint")
RUN_INPUTS = "RunInputs"
RUN_INPUTS_COMMAND = ("python", "-m", "pipeline.runners.kubeflow.inputs")
JOB_ID = "{{$.pipeline_job_uuid}}"
"""Constant that the backend's driver replaces by the run's id (backend/src/v2/driver/resolve.go,
resolveInputParameter)."""

JOB_NAME = "{{$.pipeline_job_name}}"
"""Constant replaced by the run's name in the user interface; each recurrence has its own."""

_INPUTS_SPEC = "--json_serialized_inputs_spec_args"
_BEAM_DEFAULT = f"--runner={Runner.IN_MEMORY}"
_NOT_ASKED = ("beam_options",)
"""Fields of a run's form that RunInputs does not take."""

_KUBEFLOW_TYPE_VERSION = "0.0.1"
_BACKOFF = {"backoffDuration": "30s", "backoffFactor": 2.0, "backoffMaxDuration": "600s"}


@dataclass(frozen=True)
class Parameter:
    """A field of a run's form.

    Attributes:
        name: Its name.
        kind: `STRING` or `NUMBER_INTEGER`.
        default: Its initial value.
        description: Its meaning, for the user who fills in the form.
    """

    name: str
    kind: str
    default: str | int
    description: str


@dataclass(frozen=True)
class Package:
    """A compiled pipeline.

    Attributes:
        spec: The pipeline specification, schema 2.1.0.
        platform: Settings for Kubernetes: secrets and volumes.
        vertex: The job for Vertex AI.
    """

    spec: Spec
    platform: Spec
    vertex: Spec

    def to_yaml(self) -> str:
        """The package for Kubeflow Pipelines: one YAML document, or two with the platform's."""
        documents = [self.spec, self.platform] if self.platform else [self.spec]
        return yaml.safe_dump_all(documents, sort_keys=True, width=100, allow_unicode=True)

    def to_vertex_json(self) -> str:
        """The job for Vertex AI."""
        return json.dumps(self.vertex, indent=1, sort_keys=True) + "\n"


def parameters(study: Study, settings: KubeflowSettings, purpose: Purpose) -> tuple[Parameter, ...]:
    """Fields of a run's form, in their order.

    Args:
        study: The study.
        settings: Settings of the cluster.
        purpose: What the package is for.
    """
    known = (
        Parameter("data_root", "STRING", "", "Folder of the study's files: s3://, gs:// or a path"),
        Parameter(
            "data_fingerprint",
            "STRING",
            "",
            "Fingerprint that the data must have; empty accepts any data",
        ),
        Parameter("seed", "NUMBER_INTEGER", Settings.seed, "Seed of training"),
        Parameter(
            "steps",
            "NUMBER_INTEGER",
            study.training.steps,
            "Training steps; 0: until eval stops it",
        ),
        Parameter(
            "beam_options", "STRING", _BEAM_DEFAULT, "Where Beam's stages run, and Beam's options"
        ),
        Parameter(
            "registry_root", "STRING", settings.registry_root, "Root of the registry of models"
        ),
        Parameter(
            "metrics_store",
            "STRING",
            settings.metrics_store,
            "Address of the SQL store, if any",
        ),
    )
    return tuple(parameter for parameter in known if parameter.name in purpose.fields)


def tfx_runner(settings: KubeflowSettings, out: Path) -> KubeflowV2DagRunner:
    """TFX's compiler, as this project sets it up.

    Args:
        settings: Settings of the cluster.
        out: Folder where TFX's CLI expects the job for Vertex AI.
    """
    from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner

    config = kubeflow_v2_dag_runner.KubeflowV2DagRunnerConfig(
        default_image=settings.image,
        default_commands=list(ENTRYPOINT),
        use_pipeline_spec_2_1=True,
    )
    return kubeflow_v2_dag_runner.KubeflowV2DagRunner(config, str(out.parent), out.name)


def compile_package(
    study: Study,
    schema: str,
    settings: KubeflowSettings,
    runner: KubeflowV2DagRunner,
    purpose: Purpose,
) -> Package:
    """Compiles a pipeline of a study.

    Args:
        study: The study; it is fixed in the package.
        schema: Content of its curated schema.
        settings: Settings of the cluster.
        runner: TFX's compiler, from `tfx_runner`.
        purpose: What the package is for.

    Raises:
        UserError: The settings lack what the tasks need: of a study that reads a database, or a
            prediction log; or tasks can't share a pod as the settings say.
    """
    if purpose.kind == MONITORING and not settings.prediction_log:
        raise UserError(
            "The settings name no prediction log, so there is nothing to monitor. Name the one "
            "that scorings and the service add to (prediction_log)."
        )
    reads_database = bool(study.database) and purpose.kind != MONITORING
    if reads_database:
        check_snapshot(study, settings)
        purpose = replace(purpose, found_out=(*purpose.found_out, SNAPSHOT))
    if purpose.needs_log and not settings.prediction_log:
        raise UserError(
            "The settings name no prediction log, which outcomes are added to. Name it "
            "(prediction_log: s3://bucket/folder or postgresql://user@host:5432/database)."
        )
    config = _config(study, schema, settings, purpose)
    pipeline = purpose.create(config)
    spec, beam_stages = _compiled(pipeline, runner)
    form = parameters(study, settings, purpose)
    spec["pipelineInfo"]["description"] = _description(study, purpose)
    code = {node.id: entry_modules(node) for node in pipeline.components}
    _add_run_inputs(spec, study, form, purpose, code)
    if reads_database:
        _add_snapshot(spec, study, settings, purpose)
    spec["root"]["inputDefinitions"] = {"parameters": dict(map(_definition, form))}
    for task in spec["root"]["dag"]["tasks"].values():
        _finish_task(spec, task, study.study, settings, beam_stages, purpose)
    _name_kubeflow_types(spec)
    share_pods(spec, settings)
    vertex = {
        "displayName": spec["pipelineInfo"]["name"],
        "pipelineSpec": spec,
        "runtimeConfig": {"parameterValues": {item.name: item.default for item in form}},
    }
    return Package(spec=spec, platform=_platform(spec, settings), vertex=vertex)


def _compiled(pipeline: Pipeline, runner: KubeflowV2DagRunner) -> tuple[Spec, frozenset[str]]:
    """The specification that TFX's compiler returns, and the stages that run on Beam."""
    from tfx.dsl.components.base.executor_spec import BeamExecutorSpec

    job: Spec = runner.run(pipeline, write_out=False)
    nodes = pipeline.components
    beam_stages = (node.id for node in nodes if isinstance(node.executor_spec, BeamExecutorSpec))
    return job["pipelineSpec"], frozenset(beam_stages)


def _config(study: Study, schema: str, settings: KubeflowSettings, purpose: Purpose) -> RunConfig:
    return RunConfig(
        study=study,
        schema=schema,
        data_root=_later("data_root"),
        snapshot=_later(SNAPSHOT) if SNAPSHOT in purpose.found_out else "",
        fingerprint=_later("fingerprint"),
        subject_key=KEY_IN_ENVIRONMENT,
        subject_key_id=_later("subject_key_id"),
        pipeline_name=purpose.pipeline_name(study.study),
        # The backend gives a run its root.
        pipeline_root="",
        metadata_path=None,
        serving_dir=settings.serving_dir,
        registry_root=_later("registry_root"),
        champion_token=_later("champion_token"),
        inherited_division=_later("inherited_division"),
        look=_later("look"),
        code_version=code_version(),
        dependency_lock=lock_digest(),
        seed=Settings.seed,
        steps=study.training.steps,
        tune=purpose.tune,
        beam_args=(),
        kind=purpose.kind,
        run_id=JOB_ID,
        runner=KUBEFLOW,
        started_by=JOB_NAME,
        store=_later("metrics_store"),
        prediction_log=settings.prediction_log,
        data_modified=None,
    )


def _later(name: str) -> RuntimeParameter:
    from tfx.orchestration.data_types import RuntimeParameter

    return RuntimeParameter(name=name, ptype=str)


def _description(study: Study, purpose: Purpose) -> str:
    text = f"{title_or_name(study.study, study.title)}. Study file {study.digest()}."
    return f"{text} {purpose.says}".rstrip()


def _definition(parameter: Parameter) -> tuple[str, Spec]:
    return parameter.name, {
        "parameterType": parameter.kind,
        "defaultValue": parameter.default,
        "description": parameter.description,
        "isOptional": True,
    }


def _add_run_inputs(
    spec: Spec,
    study: Study,
    form: Sequence[Parameter],
    purpose: Purpose,
    code: Mapping[str, Sequence[str]],
) -> None:
    """Inserts the task RunInputs before all tasks that need its outputs.

    Args:
        spec: The pipeline specification; it is changed.
        study: The study.
        form: Fields of the run's form.
        purpose: What the package is for.
        code: Modules that each stage starts in.
    """
    constants = {
        "study": study.to_json(),
        "subject_key": KEY_IN_ENVIRONMENT,
        "run_id": JOB_ID,
        "started_by": JOB_NAME,
        "kind": purpose.kind,
        "code": json.dumps(code),
        **purpose.constants,
    }
    made = (*purpose.found_out, *map(_code_digest_of, code))
    asked = {item.name: item.kind for item in form if item.name not in _NOT_ASKED}
    kinds = dict.fromkeys(constants, "STRING") | asked
    spec["components"][RUN_INPUTS] = {
        "executorLabel": f"{RUN_INPUTS}_executor",
        "inputDefinitions": {
            "parameters": {name: {"parameterType": kind} for name, kind in kinds.items()}
        },
        "outputDefinitions": {"parameters": {name: {"parameterType": "STRING"} for name in made}},
    }
    arguments = [
        text for name in kinds for text in (f"--{name}", f"{{{{$.inputs.parameters['{name}']}}}}")
    ]
    arguments += [
        text
        for name in purpose.found_out
        for text in (f"--{name}_to", f"{{{{$.outputs.parameters['{name}'].output_file}}}}")
    ]
    for stage in code:
        place = f"{{{{$.outputs.parameters['{_code_digest_of(stage)}'].output_file}}}}"
        arguments += [f"--{CODE_DIGEST}_to", stage, place]
    executors = spec["deploymentSpec"]["executors"]
    # TFX's CLI may have put the digest of an image that it built in place of the name.
    image = next(iter(executors.values()))["container"]["image"]
    executors[f"{RUN_INPUTS}_executor"] = {
        "container": {
            "image": image,
            "command": list(RUN_INPUTS_COMMAND),
            "args": arguments,
        }
    }
    tasks = spec["root"]["dag"]["tasks"]
    tasks[RUN_INPUTS] = {
        "taskInfo": {"name": RUN_INPUTS},
        "componentRef": {"name": RUN_INPUTS},
        "inputs": {
            "parameters": {
                **{name: _constant(value) for name, value in constants.items()},
                **{name: {"componentInputParameter": name} for name in asked},
            }
        },
    }


def _add_snapshot(spec: Spec, study: Study, settings: KubeflowSettings, purpose: Purpose) -> None:
    """Inserts the task DataSnapshot before RunInputs."""
    executors = spec["deploymentSpec"]["executors"]
    add_snapshot_task(
        spec,
        executors[f"{RUN_INPUTS}_executor"]["container"]["image"],
        constants={
            "study": study.to_json(),
            "snapshot_root": settings.snapshot_root,
            "run_id": JOB_ID,
            "kind": purpose.kind,
        },
        # The forms of a scoring and of a recording of outcomes have no store.
        asked={name: "STRING" for name in ("data_root", "metrics_store") if name in purpose.fields},
    )
    take_from_snapshot_task(spec, RUN_INPUTS)


def _code_digest_of(stage: str) -> str:
    """RunInputs' output with the digest of a stage's code."""
    return f"{CODE_DIGEST}_{stage}"


def _take_from_run_inputs(task: Spec, found_out: Sequence[str]) -> None:
    inputs = task["inputs"]["parameters"]
    for name, source in inputs.items():
        key = source.get("componentInputParameter")
        if key in found_out:
            inputs[name] = {
                "taskOutputParameter": {"producerTask": RUN_INPUTS, "outputParameterKey": key}
            }
    task["dependentTasks"] = sorted({*task.get("dependentTasks", ()), RUN_INPUTS})


def _finish_task(
    spec: Spec,
    task: Spec,
    study: str,
    settings: KubeflowSettings,
    beam_stages: frozenset[str],
    purpose: Purpose,
) -> None:
    stage = task["taskInfo"]["name"]
    component = spec["components"][task["componentRef"]["name"]]
    container = spec["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
    container["resources"] = resource_spec(settings.resources_of(stage))
    if settings.retries:
        task["retryPolicy"] = {"maxRetryCount": settings.retries, **_BACKOFF}
    if stage in (RUN_INPUTS, DATA_SNAPSHOT):
        task["cachingOptions"] = {"enableCache": False}
        return
    # The image may hold other code than that which compiled the package.
    task["inputs"]["parameters"][CODE_DIGEST] = {
        "taskOutputParameter": {
            "producerTask": RUN_INPUTS,
            "outputParameterKey": _code_digest_of(stage),
        }
    }
    for name, kind, source in _extra_parameters(task, stage in beam_stages, purpose):
        component.setdefault("inputDefinitions", {}).setdefault("parameters", {})[name] = {
            "parameterType": kind
        }
        task.setdefault("inputs", {}).setdefault("parameters", {})[name] = source
    _take_from_run_inputs(task, purpose.found_out)
    # TFX declared the inputs before the extra ones were added.
    place = container["args"].index(_INPUTS_SPEC) + 1
    container["args"][place] = json.dumps(component.get("inputDefinitions", {}))
    outputs = component.get("outputDefinitions", {})
    container["args"] += [f"--study={study}", f"--stage={stage}", f"--kind={purpose.kind}"]
    container["args"] += ["--outputs_spec", json.dumps(outputs)]


def _extra_parameters(
    task: Spec, on_beam: bool, purpose: Purpose
) -> Iterator[tuple[str, str, Spec]]:
    """Parameters of the entrypoint besides the executor's own: name, kind, source.

    Seed and steps are nested in parameters of TFX's components, which support no runtime
    parameter there: the entrypoint inserts them. MetricsExporter has them as its own.
    """
    own = task.get("inputs", {}).get("parameters", {})
    for name, (parameter, _) in INSIDE.items():
        if parameter in own or name in own:
            yield name, "NUMBER_INTEGER", {"componentInputParameter": name}
    if "metrics_store" in purpose.fields:
        yield "metrics_store", "STRING", {"componentInputParameter": "metrics_store"}
    if on_beam:
        yield "beam_options", "STRING", {"componentInputParameter": "beam_options"}


def _name_kubeflow_types(spec: Spec) -> None:
    """Sets the names of artifacts of Kubeflow's own types, by which its page finds them."""
    for component in spec["components"].values():
        for side in ("inputDefinitions", "outputDefinitions"):
            for artifact in component.get(side, {}).get("artifacts", {}).values():
                title = schema_title(artifact["artifactType"])
                if title.startswith(KUBEFLOW_TYPES):
                    artifact["artifactType"] = {
                        "schemaTitle": title,
                        "schemaVersion": _KUBEFLOW_TYPE_VERSION,
                    }


def _platform(spec: Spec, settings: KubeflowSettings) -> Spec:
    config: Spec = {}
    if settings.secrets:
        config["secretAsEnv"] = [
            {
                "secretName": key.secret,
                "keyToEnv": [{"secretKey": key.key, "envVar": variable}],
                **({"optional": True} if key.optional else {}),
            }
            for variable, key in settings.secrets.items()
        ]
    if settings.volumes:
        config["pvcMount"] = [
            {"constant": claim, "mountPath": path} for path, claim in settings.volumes.items()
        ]
    if not config:
        return {}
    # A copy for each, or YAML would write references.
    executors = {label: deepcopy(config) for label in spec["deploymentSpec"]["executors"]}
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}


def _constant(value: str) -> Spec:
    return {"runtimeValue": {"constant": value}}
