"""The list of faults."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, TypeAdapter

from pipeline.documents import StrictModel

LIST = Path(__file__).with_name("faults.yaml")


class Fault(StrictModel):
    """One fault that was mended.

    Attributes:
        name: What went wrong.
        file: The file, from the project's root.
        mended: A text that is in the file once.
        fault: What stands there with the fault.
        tests: Arguments of pytest: tests of which at least one fails with the fault.
    """

    name: str
    file: str
    mended: Annotated[str, Field(min_length=1)]
    fault: str
    tests: Annotated[tuple[str, ...], Field(min_length=1)]


def load_faults() -> tuple[Fault, ...]:
    """Reads the list of faults."""
    return TypeAdapter(tuple[Fault, ...]).validate_python(yaml.safe_load(LIST.read_text()))
