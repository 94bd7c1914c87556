"""What differs between the locks' releases is decided in one module."""

from __future__ import annotations

import re
import subprocess

from pipeline.version import PROJECT

DECIDES = r"version_info|__version__|parse_version|metadata\.version\(|packaging\.version"
FOLDERS = ("pipeline", "components", "trainer", "grafana", "notebooks", "kubeflow")


def test_no_other_module_asks_for_the_version_of_a_library() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--", *(f"{folder}/*.py" for folder in FOLDERS)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    asking = {name for name in listed if re.search(DECIDES, (PROJECT / name).read_text("utf-8"))}

    assert len(listed) > 200
    assert asking == {"pipeline/tfx_release.py"}
