"""The configuration of an external validation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.config import RunConfig, Settings, resolve
from pipeline.errors import UserError
from pipeline.names import VALIDATION, validation_pipeline_name
from pipeline.runs.run_file import VALIDATIONS
from pipeline.study.load import parse_study
from pipeline.study.study import Study


@dataclass(frozen=True)
class ModelChoice:
    """The user's choice of a registered model; what is None is as the study file says.

    Attributes:
        of: Study that the model was trained on.
        model: Id of its registration.
        registry: Root of the registry; the one below the root of the run, where None.
    """

    of: str | None = None
    model: str | None = None
    registry: str | None = None

    @classmethod
    def parse(cls, model: str | None, registry: str | None) -> ModelChoice:
        """Reads `STUDY` or `STUDY/ID`.

        Raises:
            UserError: It is neither.

        Examples:
            >>> ModelChoice.parse("ist/0123456789abcdef", None).of
            'ist'
        """
        if model is None:
            return cls(registry=registry)
        study, _, identifier = model.partition("/")
        if not study or "/" in identifier:
            raise UserError(
                f"--model {model}: expected the name of a study, for its champion, or "
                "STUDY/ID with the id of a registration."
            )
        return cls(study, identifier or None, registry)


def resolve_validation(settings: Settings, choice: ModelChoice, run_id: str) -> RunConfig:
    """Converts the user's choices to the configuration of a validation; reads the data once.

    Args:
        settings: The choices that a run of the pipeline has as well.
        choice: The registered model.
        run_id: Id of the run.

    Returns:
        The configuration of a run, whose study names the model; the champion token is that of the
        study that the model was trained on, and seed and steps have no effect.

    Raises:
        UserError: A choice is invalid, or the registry has no such model.
    """
    config = resolve(settings, run_id)

    study = with_model(config.study, choice)
    root = choice.registry or str(config.registry_root)
    if "://" not in root:
        root = str(Path(root).resolve())
    token = validated_token(study, root)
    own = Path(config.pipeline_root).parent / VALIDATIONS
    return replace(
        config,
        study=study,
        pipeline_name=validation_pipeline_name(study.study),
        pipeline_root=str(own / "artifacts"),
        metadata_path=str(own / "metadata.sqlite"),
        serving_dir=None,
        registry_root=root,
        champion_token=token,
        look="",
        kind=VALIDATION,
    )


def validated_token(study: Study, registry_root: str) -> str:
    """The champion token of the study whose model is validated.

    Args:
        study: The study with its section `validation`.
        registry_root: Root of the registry.

    Raises:
        UserError: The registry has no such model.
    """
    from pipeline.runs.registry import NO_CHAMPION, Registry

    registry = Registry(registry_root)
    of = study.validation.of or study.study
    token = registry.champion_token(of)
    if study.validation.model:
        registry.entry(of, study.validation.model)
    elif token == NO_CHAMPION:
        raise UserError(
            f"{registry_root}: the registry has no champion of the study {of}. Run the pipeline of "
            f"{of} first, or name another model (--model STUDY/ID) or another registry "
            "(--registry; on Kubeflow registry_root of the run's form)."
        )
    return token


def with_model(study: Study, choice: ModelChoice) -> Study:
    """The study with the chosen model in its section `validation`."""
    chosen = {"of": choice.of, "model": choice.model}
    given = {key: value for key, value in chosen.items() if value is not None}
    if not given:
        return study
    content = study.to_content()
    section = content.get("validation", {})
    if choice.of is not None:
        # The id in the file belongs to the study in the file.
        section.pop("model", None)
    content["validation"] = {**section, **given}
    return parse_study(content, "the study with --model")
