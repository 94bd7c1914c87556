"""Registers a blessed model, makes it the champion if the rules let it, or says why not."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import Any

from tfx.components.statistics_gen import stats_artifact_utils
from tfx.components.util import model_utils
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact
from tfx.utils import io_utils, path_utils

from components.model_registrar.settings import ModelRegistrarSettings
from pipeline.errors import UserError
from pipeline.mlflow.follow import tell
from pipeline.results.division import Division, division_of_run
from pipeline.results.documents import Metrics, Verdict, headline_metrics, read_result
from pipeline.results.evaluation_plan import read_plan
from pipeline.results.registration import Candidate, RegisteredModel, Registration
from pipeline.results.release import read_release
from pipeline.runs.entries import served_tasks
from pipeline.runs.promotion import CARD_FILE, VERDICT_FILE
from pipeline.runs.publish import publish
from pipeline.runs.register import Decision, Registered
from pipeline.runs.registry import NO_CHAMPION, Registry
from pipeline.skew.coarse_statistics import coarse_statistics, read_described
from pipeline.storage import read
from pipeline.titles import Titles

logger = logging.getLogger(__name__)

_KEPT = {
    "card": (CARD_FILE, "card.html"),
    "verdict": (VERDICT_FILE, "metrics.json", "curves.json"),
}
"""Public documents that the registry keeps with a model."""


class Executor(base_executor.BaseExecutor):
    """Executor of ModelRegistrar."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Registers the model and writes `registration.json`.

        Args:
            input_dict: The inputs of the component, one artifact each.
            output_dict: `registration`: its folder gets `registration.json` with
                `registered`, `reason` (why not, otherwise null) and `entry` (null where the
                registry does not hold the model); the artifact gets the custom property
                `registered` (0 or 1).
            exec_properties: The parameters of the component.

        Raises:
            UserError: The examples have no fingerprint, or the Evaluator's files can't be read.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        settings = ModelRegistrarSettings.from_json(exec_properties["settings"])
        reason = _refusal(input_dict, settings.titles)
        entry = None
        if reason:
            logger.warning("The model is not registered: %s", reason)
        else:
            registered = _register(input_dict, settings, exec_properties)
            entry, reason = registered.entry, registered.reason
            if reason:
                logger.warning("The model did not become the champion: %s", reason)
            if exec_properties.get("serving_dir"):
                publish(
                    exec_properties["registry_root"], entry.study, exec_properties["serving_dir"]
                )
            if problem := tell(exec_properties["registry_root"], entry.study):
                logger.warning("%s", problem)
        registration = artifact_utils.get_single_instance(output_dict["registration"])
        registration.set_int_custom_property("registered", int(reason is None))
        _write(registration, entry, reason)


def _refusal(input_dict: dict[str, list[Artifact]], titles: Titles) -> str | None:
    blessing = artifact_utils.get_single_instance(input_dict["model_blessing"])
    if not model_utils.is_model_blessed(blessing):
        folder = artifact_utils.get_single_uri(input_dict["verdict"])
        verdict = read_result(Verdict, folder)
        reasons = " ".join(verdict.reason_texts(titles))
        return f"the Evaluator did not bless it: {reasons or f'see {folder}/verdict.json.'}"
    pushed = input_dict.get("pushed_model")
    if pushed and artifact_utils.get_single_instance(pushed).get_int_custom_property("pushed") != 1:
        return "it was blessed, but Pusher did not push it."
    # The champion is compared with, served and described: all that would disclose the few subjects.
    if read_release(artifact_utils.get_single_uri(input_dict["examples"])).is_held_back:
        return (
            "it was blessed, but the run's numbers are held back, and its model with them. The "
            "next run that is shown registers its own."
        )
    return None


def _register(
    input_dict: dict[str, list[Artifact]],
    settings: ModelRegistrarSettings,
    exec_properties: dict[str, Any],
) -> Registered:
    inputs = {
        key: artifact_utils.get_single_instance(input_dict[key])
        for key in ("model", "statistics", "verdict", "examples")
    }
    model = path_utils.serving_model_path(inputs["model"].uri)
    division = _division(input_dict, inputs["examples"].uri, model)
    candidate = Candidate(
        study=settings.study_name,
        split_seed=settings.split_seed,
        label_digest=settings.label_digest,
        study_digest=settings.study_digest,
        fingerprint=_fingerprint(inputs["examples"]),
        code_version=exec_properties["code_version"],
        run=exec_properties["run_id"],
        metrics=headline_metrics(read_result(Metrics, inputs["verdict"].uri).records),
        subject_key_id=inputs["examples"].get_string_custom_property("subject_key_id"),
        division=division.digest if division else "",
        inherited_division=inputs["examples"].get_string_custom_property("inherited_division"),
        dependency_lock=exec_properties.get("dependency_lock", ""),
    )
    with tempfile.TemporaryDirectory(prefix="statistics-") as statistics:
        _write_statistics(inputs, settings.smallest_group, statistics)
        found = Registry(exec_properties["registry_root"]).register(
            candidate,
            model,
            statistics,
            division,
            _documents(input_dict),
            _decision(input_dict, settings, exec_properties),
        )
    if found.is_champion:
        entry = found.entry
        logger.info("The champion of %s is %s, registered by %s.", entry.study, entry.id, entry.run)
    return found


def _write_statistics(inputs: dict[str, Artifact], smallest_group: int, folder: str) -> None:
    """Writes the statistics of training without values of single subjects."""
    found = stats_artifact_utils.load_statistics(inputs["statistics"], "train").proto()
    (exact,) = found.datasets
    columns = read_described(inputs["examples"], "train", exact)
    coarse = coarse_statistics(exact, columns, smallest_group)
    file = Path(folder, stats_artifact_utils.BINARY_PB_BASENAME)
    file.write_bytes(coarse.SerializeToString(deterministic=True))


def _documents(input_dict: dict[str, list[Artifact]]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for key, names in _KEPT.items():
        folders = [artifact.uri for artifact in input_dict.get(key, [])]
        for path, name in ((f"{folder}/{name}", name) for folder in folders for name in names):
            content = read(path)
            if content is not None:
                found[name] = content
    return found


def _decision(
    input_dict: dict[str, list[Artifact]],
    settings: ModelRegistrarSettings,
    exec_properties: dict[str, Any],
) -> Decision | None:
    """What decides on the promotion; None without the champion that the model was compared with."""
    champions = input_dict.get("champion_model")
    if not champions:
        return None
    compared = champions[0].get_string_custom_property("champion_id") or NO_CHAMPION
    return Decision(
        compared_with=compared,
        rule=settings.promotion,
        drop_tasks=settings.drop_tasks,
        account=exec_properties.get("started_by", ""),
    )


def _division(input_dict: dict[str, list[Artifact]], examples: str, model: str) -> Division | None:
    """Who was in which part or fold of this run; None if the run does not say."""
    if not input_dict.get("rejects"):
        return None
    plan = read_plan(artifact_utils.get_single_uri(input_dict["rejects"]))
    predictions = input_dict.get("predictions")
    division = division_of_run(
        plan, examples, predictions[0].uri if predictions else None, served_tasks(model)
    )
    return division if len(division.rows.subjects) else None


def _fingerprint(examples: Artifact) -> str:
    fingerprint = examples.get_string_custom_property("fingerprint")
    if not fingerprint:
        raise UserError(
            f"{examples.uri}: the examples have no fingerprint, so it can't be recorded "
            "which data the model was trained on. Make them with TrialExampleGen."
        )
    return str(fingerprint)


def _write(registration: Artifact, entry: RegisteredModel | None, reason: str | None) -> None:
    content = Registration(registered=reason is None, reason=reason, entry=entry)
    io_utils.write_string_file(
        f"{registration.uri}/registration.json", content.model_dump_json(indent=2)
    )
