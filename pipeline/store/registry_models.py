"""The store's tables of what a registry holds: decisions on models, and the models' stages."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.base import Base


class RegistryEntry(Base):
    """An entry of a registry's audit trail.

    Attributes:
        study: Name of the study.
        digest: SHA-256 of the entry.
        number: Its place in the trail, from 1.
        at: When it was decided.
        action: What was done.
        actor: Who did it, for people: a person with its account, or a run.
        reason: Why, in the actor's words.
        model: Id of the model; empty where it concerns none.
        run: Run that made the model; empty where that is not known.
        compared_with: Champion that the model was compared with, or `none`; empty where that does
            not apply.
        champion: Id of the champion from then on; empty for none.
        refused: Why a registered model did not become the champion; empty where it did.
    """

    __tablename__ = "registry_entries"
    __table_args__ = (Index("registry_entries_of_model", "study", "model"),)

    study: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
    at: Mapped[datetime]
    action: Mapped[str]
    actor: Mapped[str]
    reason: Mapped[str]
    model: Mapped[str]
    run: Mapped[str]
    compared_with: Mapped[str]
    champion: Mapped[str]
    refused: Mapped[str]


class ModelStage(Base):
    """The stage of a registered model from an entry on: its stage of now is that of the last row.

    Attributes:
        study: Name of the study.
        digest: SHA-256 of the entry.
        model: Id of the model.
        number: Place of the entry in the trail.
        stage: `champion`, `candidate` (also a former champion) or `retired`.
    """

    __tablename__ = "model_stages"

    study: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
    stage: Mapped[str]
