"""The studies that come with the project, and the schema beside a study file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import UserError
from pipeline.version import PROJECT

if TYPE_CHECKING:
    pass

SCHEMAS = PROJECT / "schema"
DEFAULT_STUDY = "synthetic"


def find_study_file(study: str) -> Path:
    """Path of a study file, given by path or by the name of a shipped study.

    Raises:
        UserError: There is none.
    """
    path = Path(study)
    if path.suffix in (".yaml", ".yml"):
        return path
    shipped = SCHEMAS / study / "study.yaml"
    if shipped.exists():
        return shipped
    names = sorted(folder.parent.name for folder in SCHEMAS.glob("*/study.yaml"))
    raise UserError(
        f"There is no study {study}. Give the path of a study file (.yaml), or one of the "
        f"shipped studies: {', '.join(names)}."
    )


def read_schema(study_file: Path) -> str:
    """The curated schema that lies beside a study file.

    Raises:
        UserError: There is none.
    """
    schema = study_file.parent / "schema.pbtxt"
    if not schema.exists():
        raise UserError(
            f"{schema}: the study has no curated schema. Draft one with "
            "`python -m pipeline.draft schema`, look it through, and keep it beside the study "
            "file."
        )
    return schema.read_text(encoding="utf-8")
