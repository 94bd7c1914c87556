"""Bill of materials of an installation, as CycloneDX: `python -m pipeline.bill_of_materials`.

It lists the Python distributions of the interpreter that runs it, and on Debian the installed
packages, each with its version and package URL. Installations of the same packages give the same
document: it has no time and no serial number.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from pipeline.version import code_version

SPECIFICATION = "1.6"

_DPKG_FORMAT = "${db:Status-Status}\\t${Package}\\t${Version}\\t${Architecture}\\n"


def bill_of_materials() -> dict[str, Any]:
    """The bill of this installation.

    Returns:
        The content of a CycloneDX document.
    """
    components = [*_distributions(), *_debian_packages()]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": SPECIFICATION,
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "name": "clinical-trial-pipeline",
                "version": code_version(),
            }
        },
        "components": sorted(components, key=lambda component: component["bom-ref"]),
    }


def _distributions() -> Iterator[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for distribution in importlib.metadata.distributions():
        # Names as package URLs have them: https://github.com/package-url/purl-spec.
        name = re.sub(r"[-_.]+", "-", distribution.name).lower()
        component = _component(
            f"pkg:pypi/{name}@{distribution.version}", name, distribution.version
        )
        if "License-Expression" in distribution.metadata:
            expression = distribution.metadata["License-Expression"]
            component["licenses"] = [{"expression": expression}]
        # The first on the path is the one that is imported.
        found.setdefault(name, component)
    yield from found.values()


def _debian_packages() -> Iterator[dict[str, Any]]:
    if not shutil.which("dpkg-query"):
        return
    listed = subprocess.run(
        ["dpkg-query", "-W", f"-f={_DPKG_FORMAT}"], capture_output=True, text=True, check=True
    )
    for line in listed.stdout.splitlines():
        status, name, version, architecture = line.split("\t")
        if status == "installed":
            quoted = version.replace("+", "%2B").replace(":", "%3A")
            url = f"pkg:deb/debian/{name}@{quoted}?arch={architecture}"
            yield _component(url, name, version)


def _component(url: str, name: str, version: str) -> dict[str, Any]:
    return {"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(bill_of_materials(), indent=1) + "\n")
