"""Installs the project; Beam's --setup_file ships it to remote workers in the same way."""

from pathlib import Path

from setuptools import find_packages, setup

setup(
    name="clinical-trial-pipeline",
    version=(Path(__file__).parent / "pipeline" / "VERSION").read_text().strip(),
    description="A TFX pipeline for machine learning on clinical trial data",
    python_requires=">=3.11,<3.12",
    packages=find_packages(
        include=["pipeline*", "components*", "trainer*", "grafana*", "notebooks*"]
    ),
    entry_points={"console_scripts": ["trial=pipeline.cli.main:main"]},
    package_data={
        "pipeline": ["VERSION", "html/templates/*"],
        "notebooks": ["*.ipynb", "template/*"],
        "pipeline.store": ["migrations/*", "migrations/versions/*"],
    },
    # What it needs is pinned with hashes in requirements/, installed before it: remote Beam
    # workers have it in their image.
    install_requires=[],
)
