"""Files that hold one document: JSON from another part of the project, YAML from a person."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import UserError

_Content = TypeVar("_Content", bound=BaseModel)

Count = Annotated[int, Field(ge=0)]
"""A number of subjects, rows or the like."""


class Document(BaseModel):
    """A document of another part of the project, or a piece of one; other keys are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


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
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid YAML: {error}") from error
