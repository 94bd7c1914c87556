"""Files with one document: JSON from another part of the project, YAML from a user."""

from __future__ import annotations

from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticKnownError

from pipeline.errors import UserError

if TYPE_CHECKING:
    import yaml

_Content = TypeVar("_Content", bound=BaseModel)

Count = Annotated[int, Field(ge=0)]
"""A number of subjects, rows or the like."""


class Document(BaseModel):
    """A document of another part of the project, or a part of one; other keys are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class StrictModel(BaseModel):
    """Base of everything read from a study file: frozen, unknown keys are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_numbers(cls, value: object, info: ValidationInfo) -> object:
        """Refuses what YAML offers as a number and is none: yes, no (1 and 0 to pydantic), .nan."""
        values = value if isinstance(value, list | tuple) else (value,)
        if any(isinstance(item, bool) or item != item for item in values):
            kinds = _types(cls.model_fields[str(info.field_name)].annotation)
            if kinds <= {int, float, NoneType}:
                raise PydanticKnownError("float_type" if float in kinds else "int_type")
        return value


def _types(annotation: Any) -> set[Any]:
    """The types that an annotation is made of, those of elements and values included."""
    parts = [part for part in get_args(annotation) if part is not Ellipsis]
    if get_origin(annotation) is Annotated:
        return _types(parts[0])
    return set[Any]().union(*map(_types, parts)) if parts else {annotation}


def parse_document(
    content: type[_Content], text: str | bytes, where: str, expected: str, remedy: str
) -> _Content:
    """Reads a JSON document.

    Args:
        content: Expected content.
        text: The document.
        where: Its file or parameter, for the message.
        expected: Description of the expected document.
        remedy: What the user should do, a sentence.

    Raises:
        UserError: It is invalid; the message names the first invalid key.
    """
    try:
        return content.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        problem = f"{key}: {first['msg']}" if key else first["msg"]
        raise UserError(f"{where}: not {expected} ({problem}). {remedy}") from error


def read_yaml(path: Path, what: str) -> object:
    """Reads a YAML file that a user wrote.

    Args:
        path: The file.
        what: Description of its content, for the message.

    Raises:
        UserError: It does not exist, can't be read or is not YAML.
    """
    # Imported on use: most documents are JSON.
    import yaml

    from pipeline.yaml_text import parse_yaml

    try:
        return parse_yaml(path.read_text(encoding="utf-8"))[1]
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
    """The error in a YAML file, in one line and without the file's content."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it can't be read as such"
    return f"{problem} (line {mark.line + 1})" if mark else str(problem)
