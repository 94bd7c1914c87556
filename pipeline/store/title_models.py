"""The store's table of what people read in place of names of the study file."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.base import Base


class Title(Base):
    """The title of the study, of a task or of a slicing in the study file of a run.

    A name without a row is read as it is, and so are all names of runs before 0.2.0. Titles of one
    kind differ within a run.

    Attributes:
        run: Id of the run.
        kind: `study`, `task`, or `slicing`, of one slicing or of a pair.
        name: Its name, as in `runs.study`, `metrics.task` or `metrics.slicing`.
        title: What people read.
    """

    __tablename__ = "titles"

    run: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
