"""What differs between the TFX releases that the locks hold (`requirements/tfx116`, `tfx121`).

Everything else is written for both. When a release goes, what only it needs goes here.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import re


def installed_lock() -> str:
    """Folder of `requirements/` whose lock is installed: that of the TFX release.

    Returns:
        Such as `tfx116`; empty where TFX is not installed.
    """
    try:
        release = importlib.metadata.version("tfx")
    except importlib.metadata.PackageNotFoundError:
        return ""
    return "tfx" + "".join(release.split(".")[:2])


def close_pyarrow_hole() -> None:
    """Closes CVE-2023-47248, which pyarrow has before 14.0.1: TFX 1.16 requires pyarrow 10.

    Raises:
        ModuleNotFoundError: Such a pyarrow is installed without pyarrow-hotfix.
    """
    numbers = re.findall(r"\d+", importlib.metadata.version("pyarrow"))[:3]
    if tuple(map(int, numbers)) < (14, 0, 1):
        # Importing it is what closes the hole.
        importlib.import_module("pyarrow_hotfix")
