"""What TrialExampleGen does."""

from __future__ import annotations

import logging
from typing import Any

from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact

from components.trial_example_gen.checks import check_counts, check_cut
from components.trial_example_gen.forgotten import refuse_forgotten
from components.trial_example_gen.graph import ExampleJob, write_examples
from components.trial_example_gen.settings import TrialExampleGenSettings
from pipeline.errors import UserError
from pipeline.names import OUTCOMES, SCORING, SPLITS
from pipeline.reading.contributions import read_contributions
from pipeline.reading.plan import plan_examples, plan_outcomes, plan_scoring
from pipeline.reading.repeated_keys import check_rows_are_subjects
from pipeline.results.counts import Counts
from pipeline.results.division import DEALT_FOLDER, NO_DIVISION
from pipeline.results.documents import read_result
from pipeline.results.evaluation_plan import PLAN_FILE, read_plan
from pipeline.results.held_back import held_plan
from pipeline.results.release import RELEASE_FILE
from pipeline.runs.registry import Registry
from pipeline.runs.releases import Cut, claim
from pipeline.storage import copy_folder, write_whole
from pipeline.subject_key import load_key

logger = logging.getLogger(__name__)

INHERITED_KEY = "inherited_division"
_PLANS = {SCORING: plan_scoring, OUTCOMES: plan_outcomes}


class TrialExampleGenExecutor(BaseBeamExecutor):
    """Executor of TrialExampleGen."""

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Reads, joins, derives, writes; then checks what came out.

        Args:
            input_dict: Empty.
            output_dict: `examples` and `rejects`.
            exec_properties: The component's parameters.

        Raises:
            UserError: The data can't be used; the message says what to change.
        """
        del input_dict
        settings = TrialExampleGenSettings.from_json(exec_properties["settings"])
        champion = _champion_division(settings, exec_properties)
        plans = _PLANS.get(settings.kind, plan_examples)
        plan = plans(
            settings.study,
            exec_properties["data_root"],
            exec_properties.get("snapshot") or "",
        )
        check_rows_are_subjects(plan)
        load_key(exec_properties["subject_key"])
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        rejects = artifact_utils.get_single_instance(output_dict["rejects"])
        examples.split_names = artifact_utils.encode_split_names(list(SPLITS))
        examples.set_string_custom_property("fingerprint", exec_properties["fingerprint"])
        examples.set_string_custom_property("subject_key_id", exec_properties["subject_key_id"])
        examples.set_string_custom_property(
            "inherited_division", exec_properties.get(INHERITED_KEY) or NO_DIVISION
        )
        examples.set_string_custom_property("payload_format", "FORMAT_TF_EXAMPLE")
        examples.set_string_custom_property("file_format", "tfrecords_gzip")
        folders = {split: artifact_utils.get_split_uri([examples], split) for split in SPLITS}
        unfinished, dealt = f"{examples.uri}/unfinished", f"{examples.uri}/{DEALT_FOLDER}"
        # What an earlier attempt left behind would be read together with what is written now.
        for folder in (*folders.values(), unfinished, dealt, rejects.uri):
            if fileio.exists(folder):
                fileio.rmtree(folder)
            fileio.makedirs(folder)
        inherited = None
        if champion:
            # Workers read what lies beside the examples; the registry they need not reach.
            inherited = f"{unfinished}/champion"
            copy_folder(champion, inherited)
        job = ExampleJob(plan, exec_properties["subject_key"], settings.kind, inherited)
        with self._make_beam_pipeline() as root:
            write_examples(root, job, folders, unfinished, rejects.uri, dealt)
        fileio.rmtree(unfinished)
        try:
            refuse_forgotten(
                exec_properties.get("registry_root"), settings.study.study, folders.values()
            )
        except UserError:
            for folder in (*folders.values(), dealt, rejects.uri):
                fileio.rmtree(folder)
            raise
        counts, division = read_result(Counts, rejects.uri), read_plan(rejects.uri)
        # First: the checks log and name numbers.
        _release(settings, exec_properties, examples, rejects)
        if settings.kind == OUTCOMES:
            check_cut(plan, counts)
        else:
            check_counts(plan, counts, division)


def _release(
    settings: TrialExampleGenSettings,
    exec_properties: dict[str, Any],
    examples: Artifact,
    rejects: Artifact,
) -> None:
    """Compares the run with earlier releases, and writes what that decides beside its outputs.

    A cached result stays right: the ledger only grows, so what is too near to an earlier release
    stays so, and what was shown is the same release.
    """
    registry = exec_properties.get("registry_root")
    if not registry or settings.smallest_group is None:
        return
    found = read_contributions(examples, SPLITS, load_key(exec_properties["subject_key"]))
    cut = Cut(found, exec_properties["subject_key_id"], exec_properties["fingerprint"])
    release = claim(registry, settings.study.study, cut, settings.smallest_group)
    if release.is_held_back:
        logger.warning("%s", release.sentence)
        plan = held_plan(read_plan(rejects.uri))
        write_whole(f"{rejects.uri}/{PLAN_FILE}", plan.model_dump_json().encode())
    for artifact in (examples, rejects):
        write_whole(f"{artifact.uri}/{RELEASE_FILE}", f"{release.model_dump_json()}\n".encode())


def _champion_division(
    settings: TrialExampleGenSettings, exec_properties: dict[str, Any]
) -> str | None:
    """Folder of the division that the run inherits; None where it inherits none."""
    digest = exec_properties.get(INHERITED_KEY) or NO_DIVISION
    if digest == NO_DIVISION:
        return None
    registry = Registry(exec_properties["registry_root"])
    entry = registry.entry_of_division(settings.study.study, digest)
    if entry is None:
        raise UserError(
            f"The registry {exec_properties['registry_root']} no longer holds the division "
            f"{digest[:12]}… of the champion's subjects that this run was created with. Create the "
            "run again."
        )
    return registry.division_folder(entry)
