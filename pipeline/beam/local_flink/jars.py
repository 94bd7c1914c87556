"""Flink's jars, downloaded once."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from pipeline.errors import UserError
from pipeline.version import PROJECT

TOOLS = PROJECT / ".tools" / "flink"
"""Folder of a local cluster's jars, configuration and logs."""

FLINK_LOCK = PROJECT / "requirements" / "flink.txt"


def fetch_flink(folder: Path = TOOLS / "lib") -> Path:
    """Flink's jars; downloads them on first use.

    Args:
        folder: Where they are kept.

    Returns:
        The folder.

    Raises:
        UserError: They can't be downloaded.
    """
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
        # Only downloaded, not installed: only the package's jars are needed.
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"),
                *("--no-deps", "--no-build-isolation", "--require-hashes"),
                *("-r", str(FLINK_LOCK), "-d", draft),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise UserError(
                f"Flink ({FLINK_LOCK.name}) can't be downloaded: {done.stderr.strip()[-500:]}"
            )
        (package,) = Path(draft).glob("*.tar.gz")
        jars = Path(draft) / "lib"
        jars.mkdir()
        with tarfile.open(package) as content:
            for item in content:
                if "/deps/lib/" in item.name and item.name.endswith(".jar"):
                    item.name = Path(item.name).name
                    content.extract(item, jars, filter="data")
        jars.rename(folder)
    return folder
