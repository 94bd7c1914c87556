"""Real images, built where no image registry is reached, and containers from them."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.kubeflow.delivery_jobs import OF_THE_RUNNER, commands_of, run_command
from tests.kubeflow.spec_walker import REPOSITORY, Commands
from tests.package_index import certificates, write_index_settings

_BASE = "localhost/trial-test-base:trixie"
TASKS = "{IMAGE_NAME}:{CI_COMMIT_SHA}".format_map(OF_THE_RUNNER)
"""The image of the tasks, as delivery names it."""
SERVICE = "{IMAGE_NAME}-service:{CI_COMMIT_SHA}".format_map(OF_THE_RUNNER)
"""The image of the prediction service, likewise."""
_BUILD = dict(zip((TASKS, SERVICE), commands_of("build")[::2], strict=True))
"""Delivery's command that builds each; the one behind it pushes it."""
_MIRROR = "http://deb.debian.org/debian"
_PROGRAMS = ("buildah", "podman", "runc", "debootstrap")
"""Each is in the Debian package of its name."""

_CONTAINER = (
    *("podman", "--runtime", "runc", "run", "--rm", "--no-healthcheck"),
    # Podman's own limits are above what a container of this kind may set.
    *("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=2048:2048"),
    # As strict as Kubernetes' standard `restricted`, and read-only.
    *("--network=none", "--read-only", "--read-only-tmpfs=false", "--tmpfs=/tmp"),
    *("--cap-drop=ALL", "--security-opt=no-new-privileges"),
)


class ContainerCommands(Commands):
    """Runs the command lines of tasks in containers of an image, each in one of its own.

    The launcher's folders are mounted where Kubeflow Pipelines has them, and like there the task
    finds them empty but for its inputs, and may write to them.
    """

    visible_root = ""

    def __init__(
        self, image: str, environment: Mapping[str, str], volumes: Sequence[Path] = ()
    ) -> None:
        """Prepares the containers.

        Args:
            image: The image.
            environment: Variables of the tasks; nothing is taken from this process.
            volumes: Folders that the tasks find under the same paths.
        """
        super().__init__(environment)
        self._image = image
        self._volumes = tuple(volumes)

    def run(self, command: list[str], launcher_root: Path) -> subprocess.CompletedProcess[str]:
        """Runs a command line in a container."""
        for folder in (launcher_root, *self._volumes):
            _open_to_all(folder)
        mounts = {f"/{name}": launcher_root / name for name in ("minio", "gcs", "s3", "tmp/kfp")}
        mounts |= {str(folder): folder for folder in self._volumes}
        return in_container(
            self._image,
            command,
            [
                *(f"--volume={source}:{target}" for target, source in mounts.items()),
                *(f"--env={name}={value}" for name, value in self._environment.items()),
            ],
        )


def in_container(
    image: str, command: Sequence[str] = (), options: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Runs an image with a command of its own: read-only, without network and capabilities.

    Args:
        image: The image.
        command: In place of the image's own.
        options: More of `podman run`.
    """
    entrypoint = [f"--entrypoint={command[0]}"] if command else []
    return subprocess.run(
        [*_CONTAINER, *options, *entrypoint, image, *command[1:]],
        capture_output=True,
        text=True,
        check=False,
    )


@contextlib.contextmanager
def started(image: str, arguments: Sequence[str], options: Sequence[str]) -> Iterator[str]:
    """Runs an image as it is meant to be run, under the same restrictions, and ends it.

    Args:
        image: The image.
        arguments: Behind its own command.
        options: More of `podman run`.

    Yields:
        Id of the container.
    """
    ran = _run(*_CONTAINER, "--detach", *options, image, *arguments)
    try:
        yield ran.stdout.strip()
    finally:
        _run("podman", "rm", "--force", "--ignore", ran.stdout.strip())


def inside(container: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in a container that runs."""
    return subprocess.run(
        ["podman", "--runtime", "runc", "exec", container, *command],
        capture_output=True,
        text=True,
        check=False,
    )


def build_image(folder: Path, image: str = TASKS) -> None:
    """Builds an image by make on a base that debootstrap makes.

    Args:
        folder: For what the build needs besides.
        image: Its name, `TASKS` or `SERVICE`.
    """
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if missing:
        pytest.fail(f"missing: `make system` installs Debian's {', '.join(missing)}")
    if os.geteuid() != 0:
        pytest.fail("debootstrap and buildah's chroot isolation need root")
    _make_base(folder)
    remove_image(image)
    options = ["--quiet", "--isolation=chroot", *_index_secrets(folder)]
    surroundings = {
        "BASE": _BASE,
        "IMAGE_BUILD": "buildah bud --format=docker",
        "IMAGE_OPTIONS": " ".join(options),
    }
    run_command("build", _BUILD[image], REPOSITORY, surroundings)


def remove_image(image: str = TASKS) -> None:
    """Removes an image, of which there is one on a machine; the base stays."""
    _run("podman", "image", "rm", "--force", "--ignore", image)


def _make_base(folder: Path) -> None:
    if subprocess.run(["podman", "image", "exists", _BASE], check=False).returncode == 0:
        return
    root = folder / "base"
    _run("debootstrap", "--variant=minbase", "trixie", str(root), _MIRROR)
    archive = folder / "base.tar"
    _run("tar", "-C", str(root), "-cf", str(archive), ".")
    _run("podman", "import", "--quiet", str(archive), _BASE)
    shutil.rmtree(root)
    archive.unlink()


def _index_secrets(folder: Path) -> list[str]:
    """This machine's way to the package index, as the build's secrets: nothing goes to a layer."""
    pip, uv, trusted = folder / "pip.conf", folder / "uv.toml", certificates()
    write_index_settings(pip, uv)
    ca = [f"--secret=id=ca,src={trusted}"] if trusted else []
    return [f"--secret=id=pip,src={pip}", f"--secret=id=uv,src={uv}", *ca]


def _open_to_all(folder: Path) -> None:
    """Kubernetes makes scratch volumes that anybody may write to."""
    folder.chmod(0o777)
    for path in folder.rglob("*"):
        path.chmod(0o777 if path.is_dir() else 0o666)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if ran.returncode:
        pytest.fail(f"{' '.join(command)}\n{ran.stderr[-4000:]}")
    return ran
