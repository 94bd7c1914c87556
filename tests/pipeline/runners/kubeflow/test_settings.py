"""The settings file: what a package needs to know of the cluster, and what is said of faults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.runners.kubeflow.settings import KubeflowSettings, gigabytes, load_settings

SOUND = "image: registry.example.org/trial:1\nregistry_root: s3://bucket/registry\n"

Loaded = Callable[[str], KubeflowSettings]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.yaml"


@pytest.fixture
def loaded(file: Path) -> Loaded:
    def load(text: str) -> KubeflowSettings:
        file.write_text(text)
        return load_settings(file)

    return load


@pytest.fixture
def complaint(loaded: Loaded, file: Path) -> Callable[[str], str]:
    """What is said of a file, without its name."""

    def read(text: str) -> str:
        with pytest.raises(UserError) as raised:
            loaded(text)
        said = str(raised.value)
        assert said.startswith(f"{file}: ")
        return said.removeprefix(f"{file}: ")

    return read


def test_the_shipped_settings_are_sound() -> None:
    assert "TRIAL_SUBJECT_KEY" in load_settings().secrets


def test_image_and_registry_are_all_that_must_be_said(loaded: Loaded) -> None:
    settings = loaded(SOUND)
    assert settings.serving_dir is None
    assert settings.secrets == settings.volumes == settings.resources == {}


def test_a_stage_that_is_not_named_has_the_default_resources(loaded: Loaded) -> None:
    settings = loaded(SOUND + "resources: {default: {cpu: 3}, Trainer: {cpu: 8}}\n")
    assert settings.resources_of("Trainer").cpu == 8
    assert settings.resources_of("Transform").cpu == 3


@pytest.mark.parametrize(
    ("memory", "expected"), [("1Gi", 1.073741824), ("512Mi", 0.536870912), ("8Gi", 8.589934592)]
)
def test_memory_is_also_given_in_gigabytes(memory: str, expected: float) -> None:
    assert gigabytes(memory) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("said", "reserved"),
    [
        ("{cpu: 2, memory: 8Gi}", (0.25, "1Gi")),
        ("{cpu: 2, memory: 8Gi, cpu_request: 1.5, memory_request: 6Gi}", (1.5, "6Gi")),
        # Kubernetes refuses a request above the limit.
        ("{cpu: 0.1, memory: 512Mi}", (0.1, "512Mi")),
    ],
)
def test_a_task_reserves_little_and_never_more_than_its_limit(
    loaded: Loaded, said: str, reserved: tuple[float, str]
) -> None:
    settings = loaded(SOUND + f"resources: {{Trainer: {said}}}\n")
    assert settings.resources_of("Trainer").requested == reserved


@pytest.mark.parametrize(
    "image", ["trial:1", "host:5000/team/trial:1.2", "host/trial@sha256:" + 64 * "a"]
)
def test_an_image_with_a_version_is_taken(loaded: Loaded, image: str) -> None:
    assert loaded(f"image: {image}\nregistry_root: /models\n").image == image


@pytest.mark.parametrize("image", ["trial", "trial:latest", "host:5000/trial", "host/trial:latest"])
def test_an_image_without_a_version_is_refused(complaint: Callable[[str], str], image: str) -> None:
    assert complaint(f"image: {image}\nregistry_root: /models\n") == (
        "image: expected an image with a unique tag, or a digest: the cache identifies "
        "the code by the image's name only"
    )


@pytest.mark.parametrize("memory", ["8GB", "8G", "8", "'8'", "0Gi", "1.5Gi", "-1Gi", "lots"])
def test_memory_that_is_no_quantity_is_refused(
    complaint: Callable[[str], str], memory: str
) -> None:
    said = complaint(SOUND + f"resources: {{Trainer: {{memory: {memory}}}}}\n")
    assert said.startswith("resources.Trainer.memory: ")
    assert "\n" not in said


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("reties: 2", "reties"),
        ("retries: 11", "retries"),
        ("retries: -1", "retries"),
        ("resources: {Trainer: {cores: 2}}", "resources.Trainer.cores"),
        ("resources: {Trainer: {cpu: 0}}", "resources.Trainer.cpu"),
        ("resources: {Trainer: {accelerator: {count: 1}}}", "resources.Trainer.accelerator.type"),
        ("secrets: {KEY: {secret: s}}", "secrets.KEY.key"),
        ("volumes: {/models: 3}", "volumes./models"),
    ],
)
def test_a_wrong_key_or_value_is_named_in_one_line(
    complaint: Callable[[str], str], line: str, key: str
) -> None:
    said = complaint(SOUND + line + "\n")
    assert said.startswith(f"{key}: ")
    assert "\n" not in said


def test_a_secret_by_value_is_refused_and_not_repeated(complaint: Callable[[str], str]) -> None:
    said = complaint(SOUND + "secrets: {KEY: a-secret-value}\n")
    assert said.startswith("secrets.KEY: ")
    assert "a-secret-value" not in said


def test_a_stores_address_without_a_password_is_taken(loaded: Loaded) -> None:
    address = "postgresql+psycopg://writer@store:5432/trial"
    assert loaded(SOUND + f"metrics_store: {address}\n").metrics_store == address


def test_a_password_in_the_stores_address_is_refused_and_not_repeated(
    complaint: Callable[[str], str],
) -> None:
    said = complaint(SOUND + "metrics_store: postgresql://writer:pass-word@store/trial\n")
    assert said.startswith("metrics_store: The address of the store contains a password")
    assert "pass-word" not in said


def test_a_password_in_the_prediction_logs_address_is_refused_and_not_repeated(
    complaint: Callable[[str], str],
) -> None:
    said = complaint(SOUND + "prediction_log: postgresql://writer:geheim@host/predictions\n")
    assert said.startswith("prediction_log: The address of the prediction log contains a password")
    assert "geheim" not in said


def test_every_fault_has_its_line(complaint: Callable[[str], str], file: Path) -> None:
    assert complaint("{}").split("\n") == [
        "image: Field required",
        f"{file}: registry_root: Field required",
    ]


@pytest.mark.parametrize("text", ["", "- image\n", "image\n"])
def test_a_file_without_keys_is_refused(complaint: Callable[[str], str], text: str) -> None:
    assert complaint(text) == "expected lines such as `image: registry.example.org/trial:1`."


def test_a_file_that_is_no_yaml_is_refused(complaint: Callable[[str], str]) -> None:
    assert complaint("image: [\n").startswith("not valid YAML: ")


def test_a_text_that_is_no_yaml_is_refused_with_its_line_and_without_its_content(
    complaint: Callable[[str], str],
) -> None:
    said = complaint("# A project\n\nWhat it gives:\n- a model: with: colons\n")
    assert said == (
        "not valid YAML: mapping values are not allowed here (line 4). Expected the settings."
    )


def test_a_file_that_is_no_text_is_refused(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"settings\.yaml: not valid YAML: "):
        load_settings(file)


def test_a_file_that_is_not_there_is_named(file: Path) -> None:
    with pytest.raises(UserError) as raised:
        load_settings(file)
    assert str(raised.value) == f"{file}: the settings can't be read: No such file or directory."
