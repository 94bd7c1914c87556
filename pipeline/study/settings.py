"""The part of a study that is handed to a stage: one class a stage, one way there and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal, Self

from pipeline.documents import StrictModel, parse_document

if TYPE_CHECKING:
    from pipeline.study.study import Study


class TaskTitle(StrictModel):
    """What a task is called, and its kind."""

    title: str
    kind: Literal["outcome", "response", "adverse_event"]

    @classmethod
    def of(cls, study: Study) -> dict[str, Self]:
        """Every task of a study by its name, in the study file's order."""
        return {name: cls(title=task.title, kind=task.kind) for name, task in study.tasks.items()}


class Settings(StrictModel, ABC):
    """What a stage reads of a study.

    A stage takes nothing else from the study file, so the stage's cached result stays valid
    when another part of the file changes. Keys are written in the order of the class's fields;
    where a field is a mapping by name, in the study file's order, which is the order that people
    see the names in.
    """

    @classmethod
    @abstractmethod
    def of(cls, study: Study) -> Self:
        """Takes the stage's part of a study."""

    def to_json(self) -> str:
        """The settings as a stage's parameter; `from_json` reads it."""
        return self.model_dump_json(by_alias=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what `to_json` wrote.

        Raises:
            UserError: It is something else.
        """
        return parse_document(
            cls,
            text,
            f"Parameter of type {cls.__name__}",
            f"what {cls.__name__}.to_json writes",
            "Compile the pipeline again with this version.",
        )
