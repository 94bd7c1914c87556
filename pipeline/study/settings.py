"""Base class of the settings that a stage takes from a study, with its JSON form."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal, Self

from pipeline.documents import StrictModel, parse_document

if TYPE_CHECKING:
    from pipeline.study.study import Study


class TaskTitle(StrictModel):
    """Title and kind of a task."""

    title: str
    kind: Literal["outcome", "response", "adverse_event"]

    @classmethod
    def of(cls, study: Study) -> dict[str, Self]:
        """All tasks of a study by name, in the study file's order."""
        return {name: cls(title=task.title, kind=task.kind) for name, task in study.tasks.items()}


class Settings(StrictModel, ABC):
    """The part of a study that a stage reads.

    A stage reads nothing else of the study file, so its cached result stays valid if another part
    of the file changes. Keys are written in the order of the class's fields; mappings by name keep
    the study file's order only where the stage shows the names in it.
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
            UserError: It has another form.
        """
        return parse_document(
            cls,
            text,
            f"Parameter of type {cls.__name__}",
            f"what {cls.__name__}.to_json writes",
            "Compile the pipeline again with this version.",
        )
