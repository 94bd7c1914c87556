"""JSON that one part of the project writes and another reads."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from pipeline.errors import UserError

_Content = TypeVar("_Content", bound=BaseModel)


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
