"""A root of another Debian beside this one, made by debootstrap, and commands in it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.package_index import CERTIFICATES, certificates, write_index_settings

_MIRROR = "http://deb.debian.org/debian"
_PROGRAMS = ("debootstrap", "unshare", "chroot", "git")
# What is mounted goes with the command's own mounts; a process left behind ends with it.
_ENTER = """
mount --make-rprivate / && mount -t proc proc "$1/proc" && mount --bind /dev "$1/dev" &&
mkdir -p "$1/dev/shm" && exec chroot "$1" /bin/sh -c "cd /src && $2"
"""


def make_root(root: Path, suite: str, packages: Sequence[str]) -> None:
    """Makes a root with nothing but what is named.

    Args:
        root: Its folder.
        suite: Debian's release, such as `trixie`.
        packages: What is installed besides the minimum.
    """
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if missing:
        pytest.fail(f"missing: {', '.join(missing)}; `make system` installs what Debian has")
    if os.geteuid() != 0:
        pytest.fail("debootstrap and chroot need root")
    run(
        *("debootstrap", "--variant=minbase", f"--include={','.join(packages)}", suite),
        *(str(root), _MIRROR),
    )
    # This machine's network: name server, certificates, package index.
    shutil.copy("/etc/resolv.conf", root / "etc" / "resolv.conf")
    trusted = certificates()
    if trusted:
        bundle = root / CERTIFICATES.lstrip("/")
        bundle.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(trusted, bundle)
    (root / "etc" / "uv").mkdir()
    write_index_settings(root / "etc" / "pip.conf", root / "etc" / "uv" / "uv.toml")


def in_root(root: Path, command: str, **variables: str) -> str:
    """Runs a shell command in the root's folder `/src`, as its root, with its own processes.

    Args:
        root: The root.
        command: For its shell.
        variables: Environment; nothing is taken from this process.

    Returns:
        What it wrote; the test fails where it fails.
    """
    environment = {
        "HOME": "/root",
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
        "LANG": "C.UTF-8",
        "SSL_CERT_FILE": CERTIFICATES,
        **variables,
    }
    return run(
        *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
        *("sh", "-c", _ENTER, "sh", str(root), command),
        env=environment,
    )


def run(*command: str, env: dict[str, str] | None = None) -> str:
    """Runs a command; the test fails where it fails."""
    ran = subprocess.run(
        command,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if ran.returncode:
        pytest.fail(f"{command[-1]}\n{ran.stdout[-6000:]}")
    return ran.stdout
