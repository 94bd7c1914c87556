"""This machine's way to the package index, for installations elsewhere: an image, another root."""

from __future__ import annotations

import ast
import re
import ssl
import subprocess
from pathlib import Path

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
"""Where Debian has them."""


def write_index_settings(pip: Path, uv: Path) -> None:
    """Writes the settings of pip and uv for a place that has its certificates where Debian has.

    Args:
        pip: The pip.conf to write.
        uv: The uv.toml to write.
    """
    settings = _pip_settings()
    settings["cert"] = CERTIFICATES
    # Folders of this machine are not there.
    settings.pop("find-links", None)
    lines = [f"{name} = {value}" for name, value in settings.items()]
    pip.write_text("\n".join(["[global]", *lines, ""]))
    index = settings.get("index-url")
    # JSON's strings are TOML's.
    uv.write_text(
        "system-certs = true\n" + (f'[[index]]\nurl = "{index}"\ndefault = true\n' if index else "")
    )


def certificates() -> str | None:
    """File of the certificates that this machine trusts."""
    return ssl.get_default_verify_paths().cafile


def _pip_settings() -> dict[str, str]:
    listed = subprocess.run(
        ["python3", "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    found = re.findall(r"^[^=]*\.([a-z-]+)=('.*')$", listed, flags=re.MULTILINE)
    return {name: ast.literal_eval(value) for name, value in found}
