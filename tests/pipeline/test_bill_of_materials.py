"""The bill of materials names what is installed, and nothing that changes between two builds."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from typing import Any

import pytest

from pipeline.bill_of_materials import bill_of_materials
from pipeline.version import PROJECT, code_version
from tests.each import each


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    return bill_of_materials()


def test_it_names_a_distribution_with_its_package_url(bill: dict[str, Any]) -> None:
    urls = {component["purl"] for component in bill["components"]}

    assert f"pkg:pypi/apache-beam@{version('apache-beam')}" in urls


def test_it_is_about_this_project(bill: dict[str, Any]) -> None:
    about = bill["metadata"]["component"]

    assert (about["name"], about["version"]) == ("clinical-trial-pipeline", code_version())


def test_a_component_has_what_cyclonedx_requires_and_stands_once(bill: dict[str, Any]) -> None:
    references = [component["bom-ref"] for component in each(bill["components"])]

    assert len(set(references)) == len(references)
    assert references == sorted(references)
    for component in each(bill["components"]):
        assert component["type"] == "library"
        assert component["name"]
        assert component["purl"].startswith(("pkg:pypi/", "pkg:deb/debian/"))


def test_two_bills_of_one_installation_are_the_same(bill: dict[str, Any]) -> None:
    assert bill_of_materials() == bill


def test_the_module_writes_json() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pipeline.bill_of_materials"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(ran.stdout)["bomFormat"] == "CycloneDX"
