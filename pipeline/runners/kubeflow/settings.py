"""The settings file: the cluster's settings for a compiled package."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, field_validator

from pipeline.documents import StrictModel, read_yaml
from pipeline.errors import UserError
from pipeline.runners.kubeflow.spec_check import names_a_version
from pipeline.version import PROJECT

DEFAULT_SETTINGS = PROJECT / "kubeflow" / "settings.yaml"
DEFAULT_RESOURCES = "default"

_MEMORY = re.compile(r"^[1-9][0-9]*(Mi|Gi)$")
_POD = r"^[A-Za-z][A-Za-z0-9]{0,40}$"
"""Kubeflow takes hyphens too; other places have the name where these would be misread."""

_BYTES = {"Mi": 2**20, "Gi": 2**30}


class Accelerator(StrictModel):
    """Accelerators of a task.

    Attributes:
        type: Name of the Kubernetes resource, such as `nvidia.com/gpu`.
        count: How many.
    """

    type: Annotated[str, Field(min_length=1)]
    count: Annotated[int, Field(ge=1)] = 1


class Resources(StrictModel):
    """Resources of a task: what it may use at most, and what a node must have free for it.

    Attributes:
        cpu: The limit in cores.
        memory: The limit as Kubernetes writes it, in Mi or Gi.
        cpu_request: Cores that are reserved; never more than the limit.
        memory_request: Memory that is reserved; never more than the limit.
        accelerator: Accelerators, if any.
    """

    cpu: Annotated[float, Field(gt=0)] = 1.0
    memory: str = "2Gi"
    # Several tasks run at once, and most of them for seconds. Imported libraries alone take 1 GB.
    cpu_request: Annotated[float, Field(gt=0)] = 0.25
    memory_request: str = "1Gi"
    accelerator: Accelerator | None = None

    @field_validator("memory", "memory_request")
    @classmethod
    def _is_a_quantity(cls, value: str) -> str:
        if not _MEMORY.match(value):
            raise ValueError("expected a whole number with Mi or Gi, such as 4Gi")
        return value

    @classmethod
    def largest(cls, wanted: Sequence[Resources]) -> Resources:
        """What each of several tasks finds enough, one after the other."""
        return cls(
            cpu=max(item.cpu for item in wanted),
            memory=max((item.memory for item in wanted), key=gigabytes),
            cpu_request=max(item.cpu_request for item in wanted),
            memory_request=max((item.memory_request for item in wanted), key=gigabytes),
            accelerator=next((item.accelerator for item in wanted if item.accelerator), None),
        )

    @property
    def requested(self) -> tuple[float, str]:
        """Cores and memory that are reserved."""
        memory = min(self.memory, self.memory_request, key=gigabytes)
        return min(self.cpu, self.cpu_request), memory


def gigabytes(memory: str) -> float:
    """Memory in units of 1,000,000,000 bytes, as the pipeline specification counts.

    Args:
        memory: As Kubernetes writes it, in Mi or Gi.

    Examples:
        >>> gigabytes("8Gi")
        8.589934592
    """
    return int(memory[:-2]) * _BYTES[memory[-2:]] / 1e9


class SecretKey(StrictModel):
    """A value in a Kubernetes secret.

    Attributes:
        secret: Name of the secret.
        key: Its key.
        optional: Whether tasks start without it.
    """

    secret: Annotated[str, Field(min_length=1)]
    key: Annotated[str, Field(min_length=1)]
    optional: bool = False


class KubeflowSettings(StrictModel):
    """The settings file.

    Attributes:
        image: Image of every task.
        registry_root: Root of the registry of blessed models.
        serving_dir: Where servers look for the champion; None leaves Pusher out.
        snapshot_root: Folder for snapshots of SQL databases that studies read; empty for none.
        metrics_store: Address of the SQL store, without a password; empty for none.
        prediction_log: Address of the prediction log that packages of a scoring and of outcomes
            add to, without a password; empty for none.
        secrets: Environment variables of every task.
        volumes: Name of a persistent volume claim by the path where it is mounted.
        retries: How often a task is retried whose pod was lost; Kubeflow's installation retries no
            program that fails (`retryPolicy: OnError`).
        resources: By stage; `default` for those that are not named.
        pods: Stages that share a pod, by the name of their node in the graph; each of the others
            has a pod of its own.
    """

    image: Annotated[str, Field(min_length=1)]
    registry_root: Annotated[str, Field(min_length=1)]
    serving_dir: str | None = None
    snapshot_root: str = ""
    metrics_store: str = ""
    prediction_log: str = ""
    secrets: dict[str, SecretKey] = {}
    volumes: dict[str, str] = {}
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    resources: dict[str, Resources] = {}
    pods: dict[Annotated[str, Field(pattern=_POD)], tuple[str, ...]] = {}

    @field_validator("pods")
    @classmethod
    def _has_each_stage_once(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        named = Counter(stage for stages in value.values() for stage in stages)
        twice = [stage for stage, times in named.items() if times > 1]
        if twice:
            raise ValueError(f"a stage runs in one pod: {', '.join(twice)} is named twice")
        return value

    @field_validator("image")
    @classmethod
    def _names_a_version(cls, value: str) -> str:
        if not names_a_version(value):
            raise ValueError(
                "expected an image with a unique tag, or a digest: the cache identifies "
                "the code by the image's name only"
            )
        return value

    @field_validator("registry_root")
    @classmethod
    def _registry_can_be_changed(cls, value: str) -> str:
        if "://" in value and not value.startswith("s3://"):
            raise ValueError(
                "expected s3://bucket/folder or a folder of a volume: the champion is changed by a "
                "conditional write, which was tested there only"
            )
        return value

    @field_validator("metrics_store")
    @classmethod
    def _holds_no_password(cls, value: str) -> str:
        # SQLAlchemy takes a while to import, and most packages name no store.
        if value:
            from pipeline.store.engine import store_url

            try:
                store_url(value)
            except UserError as error:
                raise ValueError(str(error)) from error
        return value

    @field_validator("prediction_log")
    @classmethod
    def _is_a_log(cls, value: str) -> str:
        if value:
            from pipeline.predictions.open_log import open_log

            try:
                open_log(value)
            except UserError as error:
                raise ValueError(str(error)) from error
        return value

    def resources_of(self, stage: str) -> Resources:
        """Resources of a stage."""
        default = self.resources.get(DEFAULT_RESOURCES, Resources())
        return self.resources.get(stage, default)


def load_settings(path: Path = DEFAULT_SETTINGS, image: str | None = None) -> KubeflowSettings:
    """Reads a settings file.

    Args:
        path: The file.
        image: Image of every task, in place of the file's.

    Raises:
        UserError: It does not exist, is not YAML, or breaks a rule.
    """
    content = read_yaml(path, "settings")
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected lines such as `image: registry.example.org/trial:1`.")
    if image is not None:
        content = {**content, "image": image}
    try:
        return KubeflowSettings.model_validate(content)
    except ValidationError as error:
        lines = [
            f"{path}: {'.'.join(map(str, item['loc'])) or 'the file'}: "
            f"{item['msg'].removeprefix('Value error, ')}"
            for item in error.errors()
        ]
        raise UserError("\n".join(lines)) from error
