"""Documents of a run whose numbers are held back (`pipeline.results.release`).

Each stage decides by the exact numbers, and writes its document without them: readers of documents
need no rule of their own, as a document in which every group is suppressed is one that they know.
"""

from __future__ import annotations

from collections.abc import Collection

from pipeline.results.analysis import Absent, Analysis, Screening
from pipeline.results.counts import Counts
from pipeline.results.documents import Curves, Metrics, SuppressedGroup, Verdict, read_result
from pipeline.results.evaluation_plan import EvaluationPlan
from pipeline.results.findings import Finding
from pipeline.results.judged import Judged
from pipeline.results.reference_models import ReferenceModels
from pipeline.results.release import Release, read_release
from pipeline.results.task_verdicts import TaskVerdict
from pipeline.results.training import Training
from pipeline.results.trial_progress import TrialSummaryDocument

_WITHOUT_NUMBERS = (
    *("first_run", "validation", "other_split", "other_labels", "other_deal", "other_key"),
    *("no_division", "other_scheme", "not_compared"),
)
"""Notes of a verdict that follow from settings alone."""


def held_plan(plan: EvaluationPlan) -> EvaluationPlan:
    """The plan without numbers of subjects."""
    return plan.model_copy(update={"choice": None, "inherited": 0})


def read_counts(folder: str) -> Counts:
    """The counts of a run as people may see them after further suppression; held back, none.

    Args:
        folder: Folder of TrialExampleGen's output `rejects`.

    Raises:
        UserError: The file is missing or damaged.
    """
    counts = read_result(Counts, folder)
    if not read_release(folder).is_held_back:
        return counts
    return Counts(datasets={}, subjects={}, tasks={task: {} for task in counts.tasks})


def held_metrics(metrics: Metrics, tasks: Collection[str]) -> Metrics:
    """Metrics of no group.

    Args:
        metrics: The exact ones.
        tasks: Names of the tasks.
    """
    return Metrics(
        smallest_group=metrics.smallest_group,
        records=(),
        suppressed=tuple(
            SuppressedGroup(task=task, slice={}, reason="complementary") for task in tasks
        ),
        evaluation=held_plan(metrics.evaluation),
    )


def held_curves(curves: Curves) -> Curves:
    """Curves of no group."""
    return Curves(smallest_group=curves.smallest_group, curves=())


def held_verdict(verdict: Verdict, release: Release) -> Verdict:
    """The decisions, which the exact numbers made, without a number or a group.

    Args:
        verdict: The exact one.
        release: Why it is held back.
    """
    said = Judged(reason="held_back", values=_values(release))
    return verdict.model_copy(
        update={
            "compared": 0,
            "comparisons": (),
            "tasks": {
                task: TaskVerdict(
                    verdict=found.verdict,
                    reasons=(Judged(reason="reason_held_back", task=task),)
                    if found.verdict != "blessed"
                    else (),
                )
                for task, found in verdict.tasks.items()
            },
            "reasons": (),
            "not_judged": (),
            "notes": (
                said,
                *(note for note in verdict.notes if note.reason in _WITHOUT_NUMBERS),
            ),
            "risks": (),
        }
    )


def held_findings(findings: Collection[Finding]) -> tuple[Finding, ...]:
    """One finding for each rule and severity, without a number, a task or a feature."""
    kinds = dict.fromkeys((finding.rule, finding.severity) for finding in findings)
    return tuple(
        Finding(
            rule=rule,
            severity=severity,
            message="what was found is held back with the numbers of this run; its owner reads it "
            "in the run's log",
        )
        for rule, severity in kinds
    )


def held_training(training: Training) -> Training:
    """The record of a training without what follows from few subjects.

    Args:
        training: The exact record.
    """
    return training.model_copy(
        update={
            "best_epoch": None,
            "score": None,
            "calibration": {},
            "importance": None,
            "eval_loss": {},
        }
    )


def held_references(record: ReferenceModels) -> ReferenceModels:
    """The record of the reference models without numbers of subjects."""
    return ReferenceModels(
        models={
            name: fit.model_copy(update={"most_subjects": 0}) for name, fit in record.models.items()
        }
    )


def held_analysis(analysis: Analysis, release: Release) -> Analysis:
    """An analysis of no group.

    Args:
        analysis: The exact one.
        release: Why it is held back.
    """
    return Analysis(
        study=analysis.study,
        title=analysis.title,
        randomised=analysis.randomised,
        smallest_group=analysis.smallest_group,
        subjects=None,
        factors=(),
        characteristics=(),
        tasks=(),
        subgroups=(),
        endpoints=(),
        screening=Screening(false_discovery_rate=analysis.screening.false_discovery_rate, pairs=()),
        terms=analysis.terms,
        notes=(release.sentence,),
        absent=(Absent(section="all sections", reason=release.sentence),),
    )


def held_summary(summary: TrialSummaryDocument, release: Release) -> TrialSummaryDocument:
    """A summary of the trial's progress without a number.

    Args:
        summary: The exact one.
        release: Why it is held back.
    """
    return TrialSummaryDocument(
        smallest_group=summary.smallest_group,
        records=(),
        absent=(Absent(section="all sections", reason=release.sentence),),
    )


def _values(release: Release) -> dict[str, int | float | str | None]:
    earlier = release.earlier
    assert earlier is not None
    return {**earlier.model_dump(), "smallest_group": release.smallest_group}
