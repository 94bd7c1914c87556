"""The shipped studies, and the curated schema beside a study file."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import UserError
from pipeline.version import PROJECT

SCHEMAS = PROJECT / "schema"
DEFAULT_STUDY = "synthetic"


def shipped_studies() -> list[str]:
    """Names of the shipped studies."""
    return sorted(folder.parent.name for folder in SCHEMAS.glob("*/study.yaml"))


def find_study_file(study: str) -> Path:
    """Path of a study file, given by path or by the name of a shipped study.

    Raises:
        UserError: It does not exist.
    """
    path = Path(study)
    if path.suffix in (".yaml", ".yml"):
        return path
    shipped = SCHEMAS / study / "study.yaml"
    if shipped.exists():
        return shipped
    raise UserError(
        f"There is no study {study}. Give the path of a study file (.yaml), or one of the "
        f"shipped studies: {', '.join(shipped_studies())}."
    )


def read_schema(study_file: Path) -> str:
    """Reads the curated schema beside a study file.

    Raises:
        UserError: It does not exist.
    """
    schema = study_file.parent / "schema.pbtxt"
    if not schema.exists():
        raise UserError(
            f"{schema}: the study has no curated schema. Draft one with `trial draft schema`, "
            "review it, and keep it beside the study file."
        )
    return schema.read_text(encoding="utf-8")
