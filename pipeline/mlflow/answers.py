"""Of MLflow's answers what is read here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from pipeline.documents import Document
from pipeline.mlflow.content import REGISTRY_TAG
from pipeline.mlflow.server import ADDRESS_VARIABLE, MlflowError

_Found = TypeVar("_Found")
_MISSING = "RESOURCE_DOES_NOT_EXIST"
_EXISTS = "RESOURCE_ALREADY_EXISTS"


class Nothing(Document):
    """An answer that says nothing."""


class Tag(Document):
    """A tag.

    Attributes:
        key: Its name.
        value: Its value.
    """

    key: str
    value: str = ""


def found_or_made(find: Callable[[], _Found], make: Callable[[], _Found]) -> _Found:
    """Finds something, or makes it where there is none.

    Raises:
        MlflowError: The server can't be reached or refuses.
    """
    try:
        return find()
    except MlflowError as error:
        if error.code != _MISSING:
            raise
    try:
        return make()
    except MlflowError as error:
        # Another writer has made it meanwhile.
        if error.code != _EXISTS:
            raise
        return find()


def check_registry(what: str, tags: Iterable[Tag], registry: str) -> None:
    """Checks that something follows this registry.

    Args:
        what: What it is, for the message.
        tags: Its tags.
        registry: The first model of this registry.

    Raises:
        MlflowError: It does not.
    """
    if values_of(tags).get(REGISTRY_TAG) != registry:
        raise MlflowError(
            f"the {what} there does not follow this registry: another registry or a person made "
            f"it. Rename it there, or name another server in {ADDRESS_VARIABLE}."
        )


def tags_of(values: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags, or parameters, as MLflow takes them."""
    return [{"key": key, "value": value} for key, value in values.items()]


def values_of(tags: Iterable[Tag]) -> dict[str, str]:
    """Values by name."""
    return {tag.key: tag.value for tag in tags}


def changed(now: Iterable[Tag], wanted: Mapping[str, str]) -> dict[str, str]:
    """Of the wanted values those that a thing does not have."""
    held = values_of(now)
    return {key: value for key, value in wanted.items() if held.get(key) != value}
