"""Loads the champion of a study from the registry: verified, with all that its answers need."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.documents import Document, parse_document
from pipeline.errors import UserError, reason_of
from pipeline.results.card import Feature
from pipeline.results.contributions import CONTRIBUTIONS_FILE, ContributionColumns
from pipeline.results.registration import RegisteredModel
from pipeline.results.uncertainty import SERVED_FILE, Uncertainty, is_part, read_uncertainty
from pipeline.runs.promotion import CARD_FILE, why_not_served
from pipeline.runs.registry import file_problems
from pipeline.runs.trail import Book
from pipeline.service.inputs import Inputs, inputs_of
from pipeline.service.judged import JudgedEvidence, JudgedGroups, judged_groups
from pipeline.service.model import ColumnsModel, load_model
from pipeline.service.subject_columns import columns_of_arm
from pipeline.skew.flags import reactions
from pipeline.storage import fetch_folder
from pipeline.study.load import parse_study
from pipeline.study.sections import Reaction
from pipeline.study.study import Study

_STATISTICS_FILE = "Split-train/FeatureStats.pb"
_REMEDY = "Run the pipeline again."


class _ServedCard(Document):
    """Of `card.json` what the service reads."""

    study_file: dict[str, Any]
    features: tuple[Feature, ...]
    evidence: JudgedEvidence = JudgedEvidence()


@dataclass(frozen=True)
class Champion:
    """A loaded champion.

    Attributes:
        study: The study that it was trained by.
        entry: Its registration.
        version: Number of the change that made it the champion.
        inputs: The columns that it reads.
        tasks: Title of each task that it predicts, by name.
        uncertainty: How its intervals and sets were made; None for a model that has none.
        explained: Features in the order of its contributions; None where it has none.
        reactions: What happens to a subject with a flag, by kind of flag.
        model: The loaded model.
        judged: In which groups it was judged.
        documents: Its card and the like, by file name.
    """

    study: Study
    entry: RegisteredModel
    version: int
    inputs: Inputs
    tasks: Mapping[str, str]
    uncertainty: Uncertainty | None
    explained: tuple[str, ...] | None
    reactions: Mapping[str, Reaction]
    model: ColumnsModel
    judged: JudgedGroups
    documents: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """SHA-256 over the files of its SavedModel, as the registry recorded it."""
        return self.entry.digests["model"]

    @property
    def arms(self) -> tuple[str, ...]:
        """Arms that may be shown side by side; none where the study is not said to be randomised.

        Of these are those that enough training subjects had to be shown.
        """
        arm = self.inputs.arm
        if arm is None or not self.study.analysis.randomised:
            return ()
        shown = tuple(name for name in arm.shown if columns_of_arm(self.study, name) is not None)
        return shown if len(shown) > 1 else ()

    def identity(self) -> dict[str, Any]:
        """What each answer says of the model."""
        return {
            "study": self.study.study,
            "id": self.entry.id,
            "version": str(self.version),
            "digest": f"sha256:{self.digest}",
        }


def champion_of_book(book: Book) -> Champion:
    """Loads the champion that a registry's pointer names.

    Args:
        book: What the registry holds of the study.

    Raises:
        UserError: There is none; or its card, blessing or files are missing, are not those that
            were registered, or can't be loaded.
    """
    entry = book.champion()
    if entry is None:
        raise UserError(
            f"{book.folder}: the registry has no champion of the study {book.study}, so there is "
            "no model to serve. Run the pipeline first (trial run), promote a model (trial models "
            "promote), or name another registry (--registry)."
        )
    try:
        return load_registered(book, entry)
    except UserError as error:
        raise UserError(f"{book.folder}: the champion {entry.id} is not served. {error}") from error


def load_registered(book: Book, entry: RegisteredModel) -> Champion:
    """Loads a registered model as a champion is loaded.

    Args:
        book: What the registry holds of the study.
        entry: The model's registration.

    Raises:
        UserError: It has no card or blessing, its files are not those that were registered, or it
            can't be loaded.
    """
    if reason := why_not_served(entry):
        raise UserError(reason)
    try:
        with tempfile.TemporaryDirectory(prefix="trial-model-") as place:
            return _loaded(book, entry, Path(place))
    except OSError as error:
        raise UserError(
            f"Its files can't be copied to {tempfile.gettempdir()}, to be verified: "
            f"{reason_of(error)}. Make room there, or name another folder (TMPDIR)."
        ) from error


def _loaded(book: Book, entry: RegisteredModel, place: Path) -> Champion:
    folders = {
        "model": entry.model_uri,
        "statistics": entry.statistics_uri,
        "documents": entry.documents_uri,
    }
    # What is checked is what is loaded: a copy that no other process writes to.
    copies = {name: str(place / name) for name in folders}
    for name, folder in folders.items():
        fetch_folder(folder, Path(copies[name]))
    for problem in _problems(entry, copies):
        raise UserError(problem)
    documents = _files(Path(copies["documents"]))
    card = parse_document(_ServedCard, documents[CARD_FILE], CARD_FILE, "a model card", _REMEDY)
    study = parse_study(card.study_file, "the study of the card")
    inputs = inputs_of(
        study,
        _read_statistics(Path(copies["statistics"])),
        {feature.name: feature.source for feature in card.features},
    )
    model = load_model(copies["model"], inputs, tuple(study.slicing.by))
    found = [output for output in model.outputs if not is_part(output)]
    tasks = {name: study.tasks[name].title for name in study.tasks if name in found}
    return Champion(
        study=study,
        entry=entry,
        version=book.pointer.version,
        inputs=inputs,
        tasks=tasks,
        uncertainty=read_uncertainty(f"{copies['model']}/{SERVED_FILE}"),
        explained=_explained(Path(copies["model"])) if model.explains else None,
        reactions=reactions(study.scoring),
        model=model,
        judged=judged_groups(
            card.evidence, tuple(tasks), tuple(study.slicing.by), study.slicing.pairs
        ),
        documents=documents,
    )


def _problems(entry: RegisteredModel, copies: Mapping[str, str]) -> Iterator[str]:
    if "model" not in entry.digests:
        yield f"The registry holds no digest of its files. {_REMEDY}"
    for problem in file_problems(entry, copies):
        yield f"{problem} Restore it, or roll back (trial models rollback)."


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def _read_statistics(folder: Path) -> Any:
    from tensorflow_metadata.proto.v0 import statistics_pb2

    found = statistics_pb2.DatasetFeatureStatisticsList()
    found.ParseFromString((folder / _STATISTICS_FILE).read_bytes())
    return found.datasets[0]


def _explained(folder: Path) -> tuple[str, ...]:
    path = folder / CONTRIBUTIONS_FILE
    if not path.exists():
        raise UserError(f"The model has contributions, but no {CONTRIBUTIONS_FILE}. {_REMEDY}")
    return parse_document(
        ContributionColumns, path.read_bytes(), path.name, "the columns of contributions", _REMEDY
    ).features
