"""The blinded study of an ongoing trial: the same study without its arm.

It is made in one place, right after a study file was read (`pipeline.study.load.load_study`), and
whatever is made of a study, the graph first of all, is made of the result: what a study does not
name no stage can read, split by, model, or show. Who may see the arm asks for the study as it is
written (`pipeline.runs.unblinded`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import ValidationError

from pipeline.errors import UserError
from pipeline.study.sections import Hidden
from pipeline.study.study import Study
from pipeline.titles import title_or_name

POOLED = "This trial is ongoing: figures are pooled over arms."
"""What every page, board and record of a blinded run says."""

UNBLINDED = (
    "Unblinded: shows results by arm of a trial that is still running. For its named readers "
    "alone; not to be passed on."
)
"""What every page of an unblinded run says."""


def blinded(study: Study, source: str) -> Study:
    """The study as all may see it: without its arm while the trial is ongoing.

    Features and slicings that are the arm itself are left out, with the pairs, censoring and
    adjustment that name them; `arm` and `analysis.randomised` are. Any other use of a column of the
    arm, in whatever dataset, is refused: without it the study would mean something else.

    Args:
        study: The study as it is written, or blinded already.
        source: Its file, for messages.

    Returns:
        The blinded study; of a trial that is not ongoing, or without arms, the study itself.

    Raises:
        UserError: The study needs a column of the arm.
    """
    if study.arm is None or study.conduct != "ongoing":
        return study
    hidden = _hidden(study)
    problems = list(_needs(study, hidden))
    if not problems:
        try:
            found = Study.model_validate(_content(study, hidden))
        except ValidationError as error:
            problems = [str(item["msg"]) for item in error.errors()]
        else:
            problems = list(_uses_of_arm(found, study.arm.columns))
    if problems:
        raise UserError("\n".join(f"{source}: {problem}" for problem in problems))
    return found


def conduct_note(study: Study) -> str:
    """What people must know of the study's conduct; empty for a trial that is locked.

    Examples:
        >>> from pipeline.study.load import load_study
        >>> from pipeline.study.shipped import find_study_file
        >>> conduct_note(load_study(find_study_file("synthetic")))
        ''
    """
    if study.hidden:
        return f"{POOLED} {left_out(study.hidden)}"
    return UNBLINDED if study.is_unblinded else ""


def title_with_conduct(study: Study) -> str:
    """The study's title, with what its readers must know of an ongoing trial; empty without one.

    Boards and pages that have nothing of the study but its title say it with this.
    """
    note = POOLED if study.hidden else UNBLINDED if study.is_unblinded else ""
    return f"{title_or_name(study.study, study.title)}. {note}" if note else study.title or ""


def left_out(hidden: Hidden) -> str:
    """What a blinded study leaves out, as a sentence.

    Examples:
        >>> left_out(Hidden(arm=("TRT01P",), slicings=("arm",)))
        'Left out until it is locked: effects of arms, the arm as a feature, the slicing arm.'
    """
    parts = ["effects of arms", "the arm as a feature"]
    parts += [f"the feature {name}" for name in hidden.features]
    parts += [f"the slicing {name}" for name in hidden.slicings]
    return f"Left out until it is locked: {', '.join(parts)}."


def _hidden(study: Study) -> Hidden:
    columns = study.arm.columns if study.arm else ()
    own = study.subject.dataset
    return Hidden(
        arm=columns,
        features=tuple(
            name
            for name, feature in study.features.items()
            if (feature.dataset or own) == own and (feature.column or name) in columns
        ),
        slicings=tuple(
            name for name, by in study.slicing.by.items() if by.of == "arm" or by.column in columns
        ),
    )


def _needs(study: Study, hidden: Hidden) -> Iterator[str]:
    """What has no meaning without the arm."""
    if study.evaluation.by in hidden.slicings:
        yield (
            f"evaluation.by: {study.evaluation.by} is a slicing by the arm, which nothing may see "
            "while the trial is ongoing (`conduct: ongoing`). Name another slicing"
        )
    if set(study.features) == set(hidden.features):
        yield "features: all are columns of the arm; a model of an ongoing trial needs others"


def _uses_of_arm(study: Study, columns: Iterable[str]) -> Iterator[str]:
    """Each use that a blinded study still makes of a column of the arm."""
    hidden = {column.upper() for column in columns}
    found = (use for use in study.references() if use.column and use.column.upper() in hidden)
    for key, dataset, column in dict.fromkeys((u.key, u.dataset, u.column) for u in found):
        yield (
            f"{key}: column {column} of {dataset} is that of the arm (`arm.columns`), which "
            "nothing may read while the trial is ongoing (`conduct: ongoing`). Name another "
            "column, or leave this out until the trial is locked"
        )


def _content(study: Study, hidden: Hidden) -> dict[str, Any]:
    """Content of the blinded study."""
    content = study.to_content()
    gone = set(hidden.slicings)
    del content["arm"]
    content["hidden"] = hidden.model_dump(mode="json", exclude_defaults=True)
    content["features"] = {
        name: part for name, part in content["features"].items() if name not in hidden.features
    }
    slicing = content.get("slicing", {})
    if "by" in slicing:
        slicing["by"] = {name: part for name, part in slicing["by"].items() if name not in gone}
    if "pairs" in slicing:
        slicing["pairs"] = [pair for pair in slicing["pairs"] if not gone.intersection(pair)]
    for task in content["tasks"].values():
        if "by" in task.get("censoring", {}):
            task["censoring"]["by"] = [by for by in task["censoring"]["by"] if by not in gone]
    analysis = content.get("analysis", {})
    analysis.pop("randomised", None)
    if analysis.get("adjust_for") is not None:
        analysis["adjust_for"] = [
            name for name in analysis["adjust_for"] if name not in hidden.features
        ]
    return content
