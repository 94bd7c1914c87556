"""The study file as one validated object."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from pipeline.documents import StrictModel
from pipeline.study.conditions import Condition
from pipeline.study.digest import digest_of
from pipeline.study.features import ResolvedFeature, is_of_baseline, resolve_features
from pipeline.study.references import Reference, columns_used, references
from pipeline.study.rules import problems
from pipeline.study.sections import (
    FORMAT_VERSION,
    Analysis,
    Arm,
    Card,
    Database,
    Dataset,
    Evaluation,
    Feature,
    Gate,
    Hidden,
    Landmark,
    MonitoringRules,
    Name,
    RegistryRules,
    RetrainRules,
    Scoring,
    Site,
    Slicings,
    Split,
    StudyName,
    Subject,
    Summary,
    Task,
    Threshold,
    Training,
    Validation,
    Window,
    refuse,
)

_NEEDED = ("features", "tasks")

Account = Annotated[str, Field(pattern=r"^[^\s:/]{1,64}$")]
"""Name of an account of the operating system."""


class Study(StrictModel):
    """A whole study file.

    Attributes:
        study: Its name: letters, digits and _. It names folders, models and rows of the store.
        title: One line for people.
        version: Version of the study file's format.
        database: The SQL database of the datasets of the format `sql`.
        datasets: The files, tables and queries that are read, by name.
        subject: Identification of subjects.
        arm: The treatment arm; a study without arms has none.
        site: The site.
        population: Condition over the subject dataset for the subjects of the trial; all, where not
            given.
        window: Subjects whose date lies outside are excluded.
        first_day: Number of the study day of the reference date: 1 as in CDISC, or 0.
        landmark: The moment of prediction: `baseline`, or `{day: N}` for the end of study day N.
        features: Features of the model, by name.
        tasks: Tasks, by name.
        slicing: Groups for which results are shown.
        split: Division of the subjects into train, eval and test.
        evaluation: Which subjects a model is evaluated on.
        validation: The registered model that `trial validate` evaluates on this trial.
        scoring: What `trial score` does where subjects differ from those of the training.
        monitoring: How `trial monitor` divides the time after deployment.
        thresholds: Thresholds that a model must meet to be blessed.
        gate: Rules by which the data gate stops a run before training.
        training: Settings of the training.
        card: Statements of the model card that a run can't measure.
        summary: Settings of the summary of the trial's progress.
        analysis: Settings of the analysis of the arms.
        registry: Who decides that a blessed model becomes the champion.
        retrain: When a model is trained again.
        disclosure: `public`: only documents that may be published are written; `internal`: an
            additional report for the owner of the data.
        conduct: `ongoing`: the trial still runs, so that all figures are pooled over its arms;
            `locked`: its data are complete and its arms may be seen.
        unblinded_readers: Accounts of the operating system that may make and read an unblinded run
            of an ongoing trial.
        hidden: What the blinded study of an ongoing trial lacks; written by the pipeline.
    """

    # Both are required; if one is missing, the rules of the other sections are still checked.
    model_config = ConfigDict(json_schema_extra=lambda schema: schema["required"].extend(_NEEDED))

    study: StudyName
    title: str
    version: Literal[1] = FORMAT_VERSION
    database: Database | None = None
    datasets: Annotated[dict[Name, Dataset], Field(min_length=1)]
    subject: Subject
    arm: Arm | None = None
    site: Site | None = None
    population: Condition | None = None
    window: Window | None = None
    first_day: Literal[0, 1] = 1
    landmark: Literal["baseline"] | Landmark = "baseline"
    features: Annotated[dict[Name, Feature], Field(min_length=1)] = {}
    tasks: Annotated[dict[Name, Task], Field(min_length=1)] = {}
    slicing: Slicings = Slicings()
    split: Split = Split()
    evaluation: Evaluation = Evaluation()
    validation: Validation = Validation()
    scoring: Scoring = Scoring()
    monitoring: MonitoringRules = MonitoringRules()
    thresholds: tuple[Threshold, ...] = ()
    gate: Gate = Gate()
    training: Training = Training()
    card: Card = Card()
    summary: Summary = Summary()
    analysis: Analysis = Analysis()
    registry: RegistryRules = RegistryRules()
    retrain: RetrainRules = RetrainRules()
    disclosure: Literal["public", "internal"] = "public"
    conduct: Literal["ongoing", "locked"] = "locked"
    unblinded_readers: tuple[Account, ...] = ()
    hidden: SkipJsonSchema[Hidden | None] = None

    @field_validator("version", mode="before")
    @classmethod
    def _version_is_known(cls, value: object) -> object:
        if value != FORMAT_VERSION:
            raise ValueError(f"this release reads version {FORMAT_VERSION} of the study file")
        return value

    @field_validator("landmark", mode="before")
    @classmethod
    def _landmark_is_a_moment(cls, value: object) -> object:
        day = value.get("day") if isinstance(value, Mapping) and set(value) == {"day"} else None
        if value != "baseline" and type(day) is not int:
            raise ValueError("expected `baseline` or `{day: N}` with the number of a study day")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Study:
        refuse(problems(self))
        return self

    @cached_property
    def landmark_day(self) -> int:
        """Last study day whose values may become features."""
        return self.first_day if isinstance(self.landmark, str) else self.landmark.day

    @cached_property
    def resolved_features(self) -> tuple[ResolvedFeature, ...]:
        """All features, with `each` expanded, in the order of the file."""
        return tuple(resolve_features(self))

    @cached_property
    def baseline_features(self) -> tuple[ResolvedFeature, ...]:
        """Features that are known at baseline, without the arm's own columns."""
        return tuple(feature for feature in self.resolved_features if is_of_baseline(self, feature))

    @property
    def subject_dataset(self) -> Dataset:
        """The dataset with one row per subject."""
        return self.datasets[self.subject.dataset]

    @property
    def arm_slicing(self) -> str:
        """Name of the slicing by arm; empty without one."""
        return next((name for name, by in self.slicing.by.items() if by.of == "arm"), "")

    def subject_column(self, dataset: str) -> str | None:
        """Column of the subject key in a dataset; None if it is the row's number."""
        return self.datasets[dataset].subject or self.subject.column

    def supplements_of(self, dataset: str) -> tuple[str, ...]:
        """The datasets of supplemental qualifiers (SUPP--) of a dataset, in their order."""
        return tuple(name for name, other in self.datasets.items() if other.supplements == dataset)

    def known_by_landmark(self, known: str | None) -> bool:
        """Whether a value with this `known` may be used at the landmark."""
        return self.known_by(known, self.landmark_day)

    def known_by(self, known: str | None, day: int) -> bool:
        """Whether a value with this `known` is known on a study day."""
        if known is None or known == "after":
            return False
        if known == "baseline":
            return True
        return int(known.removeprefix("day ")) <= day

    def columns_used(self, dataset: str) -> tuple[str, ...]:
        """Columns of a dataset that the examples are made from, each once."""
        return columns_used(self, dataset)

    @property
    def files(self) -> tuple[str, ...]:
        """Patterns of the data's files, relative to the folder of the data."""
        return tuple(dataset.file for dataset in self.datasets.values() if dataset.file)

    @property
    def sql_datasets(self) -> dict[str, Dataset]:
        """Datasets that are read from the database, by name."""
        return {name: dataset for name, dataset in self.datasets.items() if dataset.is_sql}

    def references(self) -> tuple[Reference, ...]:
        """All references of the study file to datasets and columns."""
        return self._references

    @cached_property
    def _references(self) -> tuple[Reference, ...]:
        return tuple(references(self))

    def to_content(self) -> dict[str, Any]:
        """The study file's content without defaults, for `parse_study`."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def to_json(self) -> str:
        """The same as JSON, with keys in the order of the study file."""
        return json.dumps(self.to_content())

    def digest(self) -> str:
        """SHA-256 of the study file's content but `disclosure` and readers, in hexadecimal.

        These do not affect any result.
        """
        return digest_of(self.as_public().to_content())

    def as_public(self) -> Study:
        """The same study without an internal report and its readers, as stages get it."""
        return self.model_copy(update={"disclosure": "public", "unblinded_readers": ()})

    @property
    def is_unblinded(self) -> bool:
        """Whether the trial is ongoing and the arm can be seen."""
        return self.conduct == "ongoing" and self.arm is not None
