"""Artifacts of Kubeflow's types, each of which is a single file."""

from __future__ import annotations

from tfx.dsl.io import fileio
from tfx.utils import io_utils


def write_file_artifact(uri: str, content: str) -> None:
    """Writes the single file of an artifact.

    TFX makes a folder there before an executor runs; Kubeflow expects a file at the URI.

    Args:
        uri: Address of the artifact.
        content: The whole file.
    """
    if fileio.isdir(uri) and not fileio.listdir(uri):
        fileio.rmtree(uri)
    io_utils.write_string_file(uri, content)
