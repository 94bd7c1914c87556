"""The command `trial validate`, run as a person does on a model made by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.results.registration import RegisteredModel
from tests.components.registered_model.hand_made_model import (
    UNCERTAINTY,
    content_of,
    register_by_hand,
)
from tests.whole_runs import environment


@dataclass(frozen=True)
class Ended:
    """A validation that has ended.

    Attributes:
        code: Exit code.
        answer: The JSON document on standard output.
        terminal: Standard error: what a person sees.
        root: Folder that it wrote below.
        registry: Root of the registry.
        before: Content of the registry before it.
        model: The registered model.
    """

    code: int
    answer: dict[str, Any]
    terminal: str
    root: Path
    registry: Path
    before: dict[str, bytes]
    model: RegisteredModel

    @cached_property
    def validation(self) -> dict[str, Any]:
        """Content of validation.json."""
        found: dict[str, Any] = json.loads(Path(self.answer["paths"]["validation"]).read_text())
        return found

    def metric(self, name: str, **group: str) -> dict[str, Any]:
        """A metric of all subjects, or of a group."""
        metrics = json.loads(Path(self.answer["paths"]["metrics"]).read_text())["records"]
        (found,) = [
            record
            for record in metrics
            if record["metric"] == name
            and record["slice"] == group
            and record["model"] == "challenger"
        ]
        return dict(found)


def run_validation(folder: Path, study: Path, *arguments: str) -> Ended:
    """Registers the model and validates it.

    Args:
        folder: Gets the registry and the root of the run.
        study: Study file, beside its data.
        arguments: Further options of the command.
    """
    (folder / "trained").mkdir(parents=True)
    # Beam and TensorFlow read such a name as a pattern where they get the chance.
    registry = folder / "registry [x]"
    model = register_by_hand(registry, folder / "trained", UNCERTAINTY)
    before = content_of(registry)
    root = folder / "runs"
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pipeline.cli", "validate", "--study", str(study)),
            *("--data", str(study.parent), "--root", str(root), "--registry", str(registry)),
            *(*arguments, "--json"),
        ],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    answer = json.loads(ended.stdout)
    return Ended(ended.returncode, answer, ended.stderr, root, registry, before, model)
