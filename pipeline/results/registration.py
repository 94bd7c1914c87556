"""Registration of a run's model: the content of `registration.json` and of the registry."""

from __future__ import annotations

from pipeline.documents import Document


class Candidate(Document):
    """What is known of a model before it is registered.

    Attributes:
        study: Name of the study.
        split_seed: Seed of the division into splits that it was trained on.
        label_digest: Digest of the definitions of its labels.
        study_digest: Digest of the whole study file.
        fingerprint: Fingerprint of the data it was trained on.
        code_version: Version of the project that trained it.
        run: Id of the run that registered it.
        metrics: Headline metrics on the test split, by `task/metric`.
        subject_key_id: Identifies the secret of the pseudonyms; empty in entries of 0.1.0.
        division: Digest of who was in which part or fold, see `pipeline.results.division`; empty in
            entries that have none.
        inherited_division: Digest of the division whose subjects kept their part or fold, or
            `none`; empty in entries that do not say.
        dependency_lock: SHA-256 of the locked dependencies; empty in entries that do not say.
    """

    study: str
    split_seed: int
    label_digest: str
    study_digest: str
    fingerprint: str
    code_version: str
    run: str
    metrics: dict[str, float]
    subject_key_id: str = ""
    division: str = ""
    inherited_division: str = ""
    dependency_lock: str = ""


class Recalibrated(Document):
    """A linear function of a prediction's logit.

    Attributes:
        intercept: Added to the logit.
        slope: Factor of the logit.
    """

    intercept: float
    slope: float


class ModelOrigin(Document):
    """The origin of an updated model.

    Attributes:
        model: Id of the model that was updated.
        model_digest: Digest of its files.
        study: Study on whose data it was updated.
        fingerprint: Fingerprint of these data.
        method: How it was updated.
        tasks: The update of each task, by the model's name; other tasks are as they were.
    """

    model: str
    model_digest: str
    study: str
    fingerprint: str
    method: str
    tasks: dict[str, Recalibrated]


class RegisteredModel(Candidate):
    """A model in the registry.

    Attributes:
        id: Unique among all registrations.
        registered_at: UTC time in ISO 8601.
        model_uri: Folder of the SavedModel.
        statistics_uri: Folder of the train statistics, with `Split-train` in it.
        model_digest: Identity of the model, see `pipeline.runs.entries`; empty in entries of 0.1.0.
        origin: What was updated, and on which data; null for a trained model.
        documents_uri: Folder with its card and verdict; empty in entries of 0.2.0 and before, and
            of updated models.
        digests: Digest of the files of `model`, `statistics` and `documents`; empty in the same.
    """

    id: str
    registered_at: str
    model_uri: str
    statistics_uri: str
    model_digest: str = ""
    origin: ModelOrigin | None = None
    documents_uri: str = ""
    digests: dict[str, str] = {}


class Registration(Document):
    """`registration.json`: whether the model became the champion, or the reason why not.

    Attributes:
        registered: Whether this run made the model the champion.
        reason: Reason why not; null if it did.
        entry: Its entry in the registry; null if it has none.
    """

    registered: bool
    reason: str | None
    entry: RegisteredModel | None = None
