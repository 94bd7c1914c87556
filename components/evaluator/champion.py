"""Whether the run has a champion that is comparable with the challenger."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tfx.types import artifact_utils
from tfx.types.artifact import Artifact
from tfx.utils import path_utils

from components.evaluator.champion_scores import ChampionScores, score_subjects
from components.evaluator.judge import Verdict
from components.evaluator.records import Record
from components.evaluator.settings import EvaluatorSettings
from pipeline.names import EXAMPLES_SIGNATURE
from pipeline.results.division import has_division, read_division
from pipeline.results.documents import OVERALL
from pipeline.results.evaluation_plan import EvaluationPlan
from pipeline.results.judged import Judged
from pipeline.results.uncertainty import is_part
from pipeline.study.digest import version_of_digest

PRESENT = "present"
"""Custom property of the champion model: 1, or 0 where there is no champion yet."""

SPLIT_SEED = "split_seed"
"""Custom property of a model: seed of the split that it was trained on."""

LABEL_DIGEST = "label_digest"
"""Custom property of a model: digest of its label definitions (`pipeline.study.digest`)."""

SUBJECT_KEY_ID = "subject_key_id"
"""Custom property of a champion and of examples: identifies the secret of the pseudonyms."""

FIRST_RUN = Judged(reason="first_run")
VALIDATION = Judged(reason="validation")
OTHER_SPLIT = Judged(reason="other_split")
OTHER_LABELS = Judged(reason="other_labels")
OTHER_DEAL = Judged(reason="other_deal")
OTHER_KEY = Judged(reason="other_key")
NO_DIVISION = Judged(reason="no_division")


def other_scheme(plan: EvaluationPlan, champion: EvaluationPlan) -> Judged:
    """The reason against a champion that was evaluated by another scheme, as `auto` may choose."""
    return Judged(
        reason="other_scheme", values={"scheme": plan.scheme, "champion": champion.scheme}
    )


def is_present(baseline: Sequence[Artifact]) -> bool:
    """Whether the Evaluator's baseline input is a champion."""
    return bool(baseline) and baseline[0].get_int_custom_property(PRESENT) == 1


def served_tasks(baseline: Sequence[Artifact]) -> tuple[str, ...]:
    """Tasks that the champion serves; none without a champion.

    Args:
        baseline: The Evaluator's baseline input: one `Model` artifact, or none.
    """
    if not is_present(baseline):
        return ()
    # TensorFlow takes seconds to import.
    from tensorflow.python.saved_model import loader_impl

    saved = loader_impl.parse_saved_model(path_utils.serving_model_path(baseline[0].uri))
    outputs = saved.meta_graphs[0].signature_def[EXAMPLES_SIGNATURE].outputs
    return tuple(sorted(output for output in outputs if not is_part(output)))


@dataclass(frozen=True)
class Champion:
    """What is compared with the challenger.

    Attributes:
        reason_against: Why nothing is; None if there is a comparable champion.
        tasks: Tasks that the champion serves, comparable or not.
        scores: Its predictions; None if nothing is compared.
    """

    reason_against: Judged | None
    tasks: tuple[str, ...] = ()
    scores: ChampionScores | None = None

    def notes(self, plan: EvaluationPlan, smallest_group: int) -> Iterator[Judged]:
        """On whom champion and challenger are compared; nothing if they are not."""
        if self.scores is not None:
            numbers = {
                "compared": self.scores.compared,
                "new": self.scores.new,
                "left_out": self.scores.left_out,
            }
            yield Judged(
                reason="compared_out_of_fold" if plan.out_of_fold else "compared_on_test",
                smallest_group=smallest_group,
                values={
                    name: n if n == 0 or n >= smallest_group else None
                    for name, n in numbers.items()
                },
            )


def find_champion(
    models: Sequence[Artifact],
    divisions: Sequence[Artifact],
    examples: Artifact,
    settings: EvaluatorSettings,
    plan: EvaluationPlan,
    own: str | None,
) -> Champion:
    """Finds out whether the champion is comparable, and on whom.

    Args:
        models: ChampionModel's model, or none.
        divisions: ChampionModel's division, or none.
        examples: TrialExampleGen's examples.
        settings: Settings of the evaluation.
        plan: How the run evaluates.
        own: Out of fold the folder of the challenger's predictions.
    """
    if plan.scheme == "validate":
        return Champion(VALIDATION)
    tasks = served_tasks(models)
    reason = reason_against(models, settings) or _reason_of_pseudonyms(models, divisions, examples)
    if reason:
        return Champion(reason, tasks)
    division = read_division(divisions[0].uri)
    if not len(division.rows.subjects):
        return Champion(NO_DIVISION, tasks)
    if division.plan.scheme != plan.scheme:
        return Champion(other_scheme(plan, division.plan), tasks)
    scores = score_subjects(
        path_utils.serving_model_path(models[0].uri),
        artifact_utils.get_split_uri([examples], plan.evaluated_split),
        division,
        plan,
        own,
        [task for task in settings.tasks if task in tasks],
    )
    return Champion(None, tasks, scores)


def needed_notes(verdict: Verdict, plan: EvaluationPlan, smallest_group: int) -> Iterator[Judged]:
    """What lets the models be compared, where too few subjects do.

    Args:
        verdict: The verdict.
        plan: How the run evaluates.
        smallest_group: Fewest subjects that a comparison is of.
    """
    if any(
        item.decides
        and item.application.is_of_champion
        and item.application.group == OVERALL
        and item.reason in ("too_few_subjects", "too_few_events")
        for item in verdict.comparisons
    ):
        yield Judged(
            reason="too_few_to_compare",
            smallest_group=smallest_group,
            values={"out_of_fold": int(plan.out_of_fold)},
        )


def new_subjects_notes(records: Sequence[Record], smallest_group: int) -> Iterator[Judged]:
    """How champion and challenger differ on the subjects who are new since the champion's run.

    Args:
        records: Records of the new subjects.
        smallest_group: Fewest subjects that a number is shown for.
    """
    for record in records:
        if record.metric == "auc" and record.model == "difference":
            if record.subjects < smallest_group or not math.isfinite(record.lower):
                yield Judged(reason="too_few_new_subjects", task=record.task)
            else:
                yield Judged(
                    reason="new_subjects",
                    task=record.task,
                    estimate=record.shown().estimate,
                    values={"subjects": record.subjects},
                )


def _reason_of_pseudonyms(
    models: Sequence[Artifact], divisions: Sequence[Artifact], examples: Artifact
) -> Judged | None:
    if not divisions or not has_division(divisions[0].uri):
        return NO_DIVISION
    key = examples.get_string_custom_property(SUBJECT_KEY_ID)
    return None if models[0].get_string_custom_property(SUBJECT_KEY_ID) == key else OTHER_KEY


def reason_against(baseline: Sequence[Artifact], settings: EvaluatorSettings) -> Judged | None:
    """The reason why the champion can't be compared.

    Args:
        baseline: The Evaluator's baseline input: one `Model` artifact, or none.
        settings: Settings of the evaluation.

    Returns:
        A note for the verdict; None if the baseline is a champion to compare with.
    """
    if not is_present(baseline):
        return FIRST_RUN
    champion = baseline[0]
    recorded = champion.get_string_custom_property(LABEL_DIGEST)
    if recorded and version_of_digest(recorded) != version_of_digest(settings.label_digest):
        return OTHER_DEAL
    if not champion.has_custom_property(SPLIT_SEED) or (
        champion.get_int_custom_property(SPLIT_SEED) != settings.split_seed
    ):
        return OTHER_SPLIT
    if recorded != settings.label_digest:
        return OTHER_LABELS
    return None
