"""Files that hold one document: JSON from another part of the project, YAML from a person."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import UserError

if TYPE_CHECKING:
    import yaml

_Content = TypeVar("_Content", bound=BaseModel)

Count = Annotated[int, Field(ge=0)]
"""A number of subjects, rows or the like."""


class Document(BaseModel):
    """A document of another part of the project, or a piece of one; other keys are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class StrictModel(BaseModel):
    """Base of everything read from a study file: frozen, and no unknown key passes."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def parse_document(
    content: type[_Content], text: str | bytes, where: str, expected: str, remedy: str
) -> _Content:
    """Reads a JSON document.

    Args:
        content: What it should hold.
        text: What it does hold.
        where: File or parameter that it comes from, for the message.
        expected: What it should be, in words.
        remedy: What to do about it, a sentence.

    Raises:
        UserError: It is something else; the message names the first key that is wrong.
    """
    try:
        return content.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        problem = f"{key}: {first['msg']}" if key else first["msg"]
        raise UserError(f"{where}: not {expected} ({problem}). {remedy}") from error


def read_yaml(path: Path, what: str) -> object:
    """Reads a YAML file that a person wrote.

    Args:
        path: The file.
        what: What it holds, for the message.

    Raises:
        UserError: It is not there, can't be read or is no YAML.
    """
    # Imported on use: most documents are JSON.
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: the {what} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: not valid YAML: it is not UTF-8 text. Expected the {what}."
        ) from error
    except yaml.YAMLError as error:
        raise UserError(
            f"{path}: not valid YAML: {yaml_fault(error)}. Expected the {what}."
        ) from error


def yaml_fault(error: yaml.YAMLError) -> str:
    """What is wrong in a YAML file, in a line and without its content."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it can't be read as such"
    return f"{problem} (line {mark.line + 1})" if mark else str(problem)
