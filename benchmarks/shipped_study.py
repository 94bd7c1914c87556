"""Shipped studies for a benchmark: their data, and study files with another content."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from pipeline.version import PROJECT

SCHEMAS = PROJECT / "schema"

Content = dict[str, Any]


def add_data_option(parser: ArgumentParser, holds: str, name: str = "--data") -> None:
    """The folder of the real trials' data, by default where the tests look for it.

    Args:
        parser: Gets the option.
        holds: What the folder holds, for the help text.
        name: The option's name.
    """
    parser.add_argument(
        name,
        type=Path,
        default=Path(os.environ.get("TRIAL_DATA_DIR", PROJECT / ".." / "shared" / "data")),
        help=f"{holds}; default TRIAL_DATA_DIR",
    )


def write_changed_study(study: str, folder: Path, change: Callable[[Content], Content]) -> Path:
    """Writes a shipped study with a changed study file; its curated schema stands beside it.

    Args:
        study: The study.
        folder: Destination; created.
        change: Makes the content of the study file from that of the shipped one.

    Returns:
        Path of the study file.
    """
    folder.mkdir(parents=True)
    shipped = SCHEMAS / study
    content = yaml.safe_load((shipped / "study.yaml").read_text(encoding="utf-8"))
    (folder / "schema.pbtxt").write_bytes((shipped / "schema.pbtxt").read_bytes())
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(change(content), sort_keys=False), encoding="utf-8")
    return path


def without_references(content: Content) -> Content:
    """A study file's content that asks for no reference models.

    Args:
        content: The study file's content; it stays as it is.
    """
    return {**content, "training": {**content.get("training", {}), "reference_models": []}}


def five_by_five(content: Content) -> Content:
    """A study file's content that asks for cross-fitting with 5 folds and 5 repeats.

    Args:
        content: The study file's content; it stays as it is.
    """
    return {**content, "evaluation": {"scheme": "cross_fit", "folds": 5, "repeats": 5}}
