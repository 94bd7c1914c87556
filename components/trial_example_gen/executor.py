"""What TrialExampleGen does."""

from __future__ import annotations

import logging
from typing import Any

from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact

from components.trial_example_gen.graph import ExampleJob, write_examples
from components.trial_example_gen.settings import TrialExampleGenSettings
from pipeline.errors import UserError
from pipeline.names import SPLITS
from pipeline.reading.plan import ReadingPlan, plan_examples
from pipeline.reading.qualifiers import unknown_qualifiers
from pipeline.reading.repeated_keys import check_rows_are_subjects
from pipeline.results.counts import Counts, DatasetCounts
from pipeline.results.documents import read_result
from pipeline.study.study import Study
from pipeline.subject_key import load_key

logger = logging.getLogger(__name__)


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
        study = TrialExampleGenSettings.from_json(exec_properties["settings"]).study
        plan = plan_examples(study, exec_properties["data_root"])
        check_rows_are_subjects(plan)
        job = ExampleJob(plan, exec_properties["subject_key"])
        load_key(job.key_reference)
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        rejects = artifact_utils.get_single_instance(output_dict["rejects"])
        examples.split_names = artifact_utils.encode_split_names(list(SPLITS))
        examples.set_string_custom_property("fingerprint", exec_properties["fingerprint"])
        examples.set_string_custom_property("payload_format", "FORMAT_TF_EXAMPLE")
        examples.set_string_custom_property("file_format", "tfrecords_gzip")
        folders = {split: artifact_utils.get_split_uri([examples], split) for split in SPLITS}
        unfinished = f"{examples.uri}/unfinished"
        # What an earlier attempt left behind would be read together with what is written now.
        for folder in (*folders.values(), unfinished, rejects.uri):
            if fileio.exists(folder):
                fileio.rmtree(folder)
            fileio.makedirs(folder)
        with self._make_beam_pipeline() as root:
            write_examples(root, job, folders, unfinished, rejects.uri)
        fileio.rmtree(unfinished)
        counts = read_result(Counts, rejects.uri)
        if counts.problems:
            raise UserError("\n".join(counts.problems))
        _check_qualifiers(plan, counts.qualifiers)
        _check(study, counts)


def _check_qualifiers(plan: ReadingPlan, found: dict[str, int]) -> None:
    """Refuses columns that neither the file nor its supplemental qualifiers have."""
    counts = {("qualifiers", *name.split(".", 1)): number for name, number in found.items()}
    unknown = list(unknown_qualifiers(plan, counts))
    if unknown:
        raise UserError("\n".join(unknown))


def _check(study: Study, counts: Counts) -> None:
    for name, rows in counts.datasets.items():
        logger.info("rows", extra={"rows": {"dataset": name, **rows.model_dump()}})
    if not sum(counts.subjects.values()):
        rows = counts.datasets[study.subject.dataset]
        raise UserError(
            f"No subject is left: of {rows.rows_in} rows of {study.subject.dataset}, "
            f"{rows.rejected} were rejected ({_reasons(rows)}) and {rows.excluded} left "
            "out by `population` and `window`. Check those, and the ranges of its columns."
        )
    for split in SPLITS:
        if not counts.subjects.get(split):
            raise UserError(
                f"No subject is in split {split}: of {sum(counts.subjects.values())} subjects, "
                "too few for its share. Enlarge the share in `split`, or bring more subjects."
            )
    for task, splits in counts.tasks.items():
        known = sum(split.known for split in splits.values())
        positives = sum(split.positives for split in splits.values())
        if positives in (0, known):
            missing = "positive" if positives == 0 else "negative"
            raise UserError(
                f"Task {task}: no subject is {missing}: of {sum(counts.subjects.values())} "
                f"subjects the label is known for {known}. Check the condition, the codes it "
                f"compares with and the horizon of tasks.{task}."
            )


def _reasons(rows: DatasetCounts) -> str:
    return ", ".join(f"{reason}: {n}" for reason, n in rows.reasons.items()) or "none"
