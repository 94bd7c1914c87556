"""How a run evaluates its model, in sentences for people: terminal, page, card, report, notebooks.

Each view takes its words from here, so that all of them say the same.
"""

from __future__ import annotations

from pipeline.estimates import fixed
from pipeline.results.documents import Metrics
from pipeline.results.evaluation_plan import EvaluationPlan
from pipeline.results.stability import FEWEST_REPEATS
from pipeline.titles import Titles

FINAL_MODEL = (
    "the model that is pushed is trained on all subjects by the same procedure and was not itself "
    "tested on new patients."
)
"""What the metrics of an out-of-fold scheme do not say."""

MEAN_PROVES_NOTHING = (
    "Mean prediction − observed rate is near 0 by construction here, because every model is "
    "calibrated on subjects like those that it predicts: it is no evidence of calibration. Read "
    "the calibration slope and the curves."
)
"""What `cross_fit` does to the mean prediction."""


def scheme_title(plan: EvaluationPlan) -> str:
    """The scheme in a few words.

    Examples:
        >>> scheme_title(EvaluationPlan(scheme="split", requested="auto"))
        'test split'
        >>> scheme_title(EvaluationPlan(scheme="cross_fit", requested="auto", folds=5, repeats=10))
        'cross-fitting, 5 folds × 10 repeats'
    """
    if plan.scheme == "split":
        return "test split"
    if plan.scheme == "validate":
        return "external validation"
    if plan.scheme == "internal_external":
        return f"internal-external, {plan.folds} groups{_by(plan)}"
    repeats = f"{plan.repeats} repeat{'' if plan.repeats == 1 else 's'}"
    return f"cross-fitting, {plan.folds} folds × {repeats}"


def subjects_title(plan: EvaluationPlan) -> str:
    """Who is evaluated, in a few words.

    Examples:
        >>> subjects_title(EvaluationPlan(scheme="cross_fit", requested="cross_fit"))
        'all subjects, out of fold'
    """
    if plan.scheme == "validate":
        return "all subjects of the other trial"
    return "all subjects, out of fold" if plan.out_of_fold else "test split"


def evaluated_subjects(plan: EvaluationPlan) -> str:
    """Who is evaluated, as a noun: `test subjects`, or `subjects`."""
    return "test subjects" if plan.scheme == "split" else "subjects"


def basis_sentence(plan: EvaluationPlan, subjects: int | None = None) -> str:
    """What the metrics are of, in one sentence for clinicians.

    Args:
        plan: How the run evaluates.
        subjects: Number of subjects evaluated; None if it is not known.

    Examples:
        >>> plan = EvaluationPlan(scheme="cross_fit", requested="auto", folds=5, repeats=1)
        >>> print(basis_sentence(plan, 254).partition(":")[0])
        Each of the 254 subjects was predicted by models that never saw that subject (5 folds)
    """
    if plan.scheme == "validate":
        number = "" if subjects is None else f"{subjects:,} "
        return (
            f"A registered model was evaluated, unchanged, on {number}subjects that it was not "
            "trained on."
        )
    if not plan.out_of_fold:
        number = "" if subjects is None else f"{subjects:,} "
        return (
            f"It was evaluated on the {number}subjects of the test split, used neither for "
            "training nor for calibration."
        )
    each = "Every subject" if subjects is None else f"Each of the {subjects:,} subjects"
    if plan.scheme == "internal_external":
        return (
            f"{each} was predicted by models that never saw anybody of the subject's group "
            f"({plan.folds} groups{_by(plan)}): the numbers say how well this way of building a "
            f"model predicts patients of a new group; {FINAL_MODEL}"
        )
    times = "" if plan.repeats == 1 else f", repeated {plan.repeats} times with other folds"
    return (
        f"{each} was predicted by models that never saw that subject ({plan.folds} folds{times}): "
        "the numbers say how well this way of building a model predicts new patients like those "
        f"of the trial; {FINAL_MODEL}"
    )


def choice_sentence(plan: EvaluationPlan, titles: Titles) -> str:
    """What `auto` chose and why; empty if the study file names the scheme.

    Args:
        plan: How the run evaluates.
        titles: Titles of the study's tasks.
    """
    if plan.requested != "auto":
        return ""
    # Documents of earlier versions have the finished sentence.
    why = plan.choice.text(titles) if plan.choice else plan.reason
    return f"Scheme of evaluation chosen by `auto`: {plan.scheme}. {why}".strip()


def inherited_sentence(plan: EvaluationPlan) -> str:
    """How many subjects were dealt as in the champion's run; empty if none was.

    Examples:
        >>> plan = EvaluationPlan(scheme="split", requested="auto", inherited=250)
        >>> inherited_sentence(plan)
        "250 subjects keep their part of the champion's run; all others are new since."
    """
    if not plan.inherited:
        return ""
    what = "folds" if plan.out_of_fold else "part"
    return (
        f"{plan.inherited:,} subjects keep their {what} of the champion's run; all others are new "
        "since."
    )


def scheme_notes(metrics: Metrics, titles: Titles) -> tuple[str, ...]:
    """What a reader must know beside `basis_sentence`; empty where there is nothing.

    Args:
        metrics: The Evaluator's metrics.
        titles: Titles of the study's tasks.
    """
    plan = metrics.evaluation
    notes = [choice_sentence(plan, titles), inherited_sentence(plan)]
    if plan.scheme == "cross_fit":
        notes.append(MEAN_PROVES_NOTHING)
    if metrics.tuning:
        notes.append(metrics.tuning.sentence)
    return tuple(filter(None, notes))


def no_stability_sentence(plan: EvaluationPlan) -> str:
    """Why the plan can't show how predictions vary between training samples; empty if it can.

    Examples:
        >>> print(no_stability_sentence(EvaluationPlan(scheme="split", requested="split")))
        How much a prediction changes with another training sample: one split does not show it.
    """
    what = "How much a prediction changes with another training sample"
    measured = f"measured where there are {FEWEST_REPEATS} repeats or more"
    if plan.scheme == "split":
        return f"{what}: one split does not show it."
    if plan.scheme == "internal_external":
        return f"{what} is {measured} (`cross_fit`); here each subject was predicted once."
    if plan.scheme == "cross_fit" and plan.repeats < FEWEST_REPEATS:
        return (
            f"{what} is {measured}; this run has {plan.repeats}. Set "
            f"`evaluation.repeats: {FEWEST_REPEATS}` or more in the study file to see it."
        )
    return ""


def new_group_sentences(metrics: Metrics, titles: Titles) -> tuple[str, ...]:
    """Where the AUC of each task would lie in a new group, under `internal_external`.

    Args:
        metrics: The Evaluator's document.
        titles: Titles of the study's tasks.
    """
    return tuple(
        f"{titles.task(item.task)}: AUC of {fixed(item.lowest)} to {fixed(item.highest)} in "
        f"{item.groups} groups; in a new group it would lie between {fixed(item.new_lower)} and "
        f"{fixed(item.new_upper)} in 95 of 100 cases."
        for item in metrics.between_groups
        if item.metric == "auc" and item.new_lower is not None and item.new_upper is not None
    )


def _by(plan: EvaluationPlan) -> str:
    return f" by {plan.by}" if plan.by else ""
