"""Builds the project; its metadata stand in pyproject.toml.

Beam's `--setup_file` names this file: Beam makes a source distribution of it and installs that on
remote workers.
"""

from setuptools import setup

setup()
