"""A registry in a folder and one in an object store."""

from __future__ import annotations

from pathlib import Path

import pytest


# A bucket takes three seconds a test, a folder a tenth of one.
@pytest.fixture(params=["folder", pytest.param("object store", marks=pytest.mark.slow)])
def registry_root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Root of a registry that is empty: in a folder, and in a bucket of moto."""
    if request.param == "folder":
        return str(tmp_path / "registry")
    return f"s3://{request.getfixturevalue('bucket')}/registry"
