"""Computes the analysis document from the subjects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from components.trial_analysis.adjusted import adjusted_effect
from components.trial_analysis.baseline import characteristics
from components.trial_analysis.disclosure import Disclosure
from components.trial_analysis.multiplicity import holm
from components.trial_analysis.proportions import (
    Observed,
    equality_test,
    number_needed,
    rate,
    risk_difference,
    risk_ratio,
)
from components.trial_analysis.screening import screen
from components.trial_analysis.settings import TrialAnalysisSettings
from components.trial_analysis.subgroups import subgroup_effects
from components.trial_analysis.subjects import Factor, TrialSubjects
from components.trial_analysis.survival import endpoint_analysis
from components.trial_analysis.wording import TERMS, effect_sentence, notes
from pipeline.estimates import Estimate
from pipeline.results.analysis import (
    Absent,
    Analysis,
    Comparison,
    Effect,
    EndpointAnalysis,
    HypothesisTest,
    Level,
    Rate,
    Subgroups,
    TaskAnalysis,
)
from pipeline.results.analysis import Factor as FactorDocument


def analyse(
    subjects: TrialSubjects, settings: TrialAnalysisSettings, internal: bool = False
) -> Analysis:
    """Makes the whole analysis.

    Args:
        subjects: All subjects.
        settings: Settings of the analysis.
        internal: Whether every group and every time is shown, for the owner of the data.
            TrialAnalysis never writes that document.
    """
    disclosure = Disclosure(subjects, settings.smallest_group, is_exact=internal)
    work = _Work(subjects, settings, disclosure)
    tasks = _adjust_tasks([work.task(name) for name in settings.tasks])
    subgroups = _adjust_subgroups(list(subgroup_effects(subjects, disclosure)))
    endpoints = _adjust_endpoints(
        [
            endpoint_analysis(subjects, name, endpoint, disclosure, settings.analysis.randomised)
            for name, endpoint in settings.analysis.time_to_event.items()
        ]
    )
    return Analysis(
        study=settings.study_name,
        title=settings.title,
        randomised=settings.analysis.randomised,
        smallest_group=1 if internal else settings.smallest_group,
        subjects=subjects.count if disclosure.shows_all(subjects.count) else None,
        factors=tuple(work.factor(factor) for factor in subjects.factors),
        characteristics=tuple(characteristics(subjects, disclosure)),
        tasks=tuple(tasks),
        subgroups=tuple(subgroups),
        endpoints=tuple(endpoints),
        screening=screen(subjects, disclosure),
        terms=TERMS,
        notes=tuple(
            notes(
                settings,
                subjects=subjects.count,
                tests=sum(len(task.effects) for task in tasks),
                interactions=sum(block.interaction is not None for block in subgroups),
                log_ranks=sum(len(_log_ranks(endpoint)) for endpoint in endpoints),
                internal=internal,
                weighted=[
                    settings.tasks[name].title
                    for name, outcome in subjects.outcomes.items()
                    if outcome.weight is not None
                ],
            )
        ),
        absent=tuple(_absent(settings, subjects, tasks)),
    )


@dataclass(frozen=True)
class _Work:
    subjects: TrialSubjects
    settings: TrialAnalysisSettings
    disclosure: Disclosure

    def factor(self, factor: Factor) -> FactorDocument:
        return FactorDocument(
            name=factor.name,
            control=factor.control,
            levels=tuple(
                Level(
                    name=level,
                    subjects=int(factor.of(level).sum())
                    if self.disclosure.shows_level(factor, level)
                    else None,
                )
                for level in factor.levels
            ),
            describes=factor.describes,
        )

    def task(self, name: str) -> TaskAnalysis:
        described = self.settings.tasks[name]
        return TaskAnalysis(
            task=name,
            title=described.title,
            kind=described.kind,
            rates=tuple(
                self._rate(name, factor, level)
                for factor in self.subjects.factors
                for level in factor.levels
            ),
            effects=tuple(
                self._effect(name, factor, level)
                for factor in self.subjects.factors
                for level in factor.treatments
                if self._shows(name, factor, level, str(factor.control))
            ),
        )

    def _observed(self, task: str, factor: Factor, level: str) -> Observed:
        return self.subjects.outcomes[task].observed(factor.of(level))

    def _shows(self, task: str, factor: Factor, *levels: str) -> bool:
        return all(self.disclosure.shows_outcome(task, factor, level) for level in levels)

    def _rate(self, task: str, factor: Factor, level: str) -> Rate:
        shown = self._shows(task, factor, level)
        group = self._observed(task, factor, level)
        subjects = int(factor.of(level).sum())
        return Rate(
            factor=factor.name,
            level=level,
            subjects=group.subjects if shown else None,
            events=group.events if shown else None,
            unknown=subjects - group.subjects if shown else None,
            rate=rate(group) if shown else Estimate(),
        )

    def _effect(self, task: str, factor: Factor, level: str) -> Effect:
        comparison = Comparison(factor=factor.name, level=level, control=str(factor.control))
        group = self._observed(task, factor, level)
        control = self._observed(task, factor, comparison.control)
        difference = risk_difference(group, control)
        return Effect(
            comparison=comparison,
            risk_difference=difference,
            risk_ratio=risk_ratio(group, control),
            number_needed=number_needed(difference),
            test=equality_test(group, control),
            adjusted=adjusted_effect(self.subjects, task, factor, level, self.settings.covariates),
            says=effect_sentence(
                self.settings.tasks[task].title,
                comparison,
                group,
                control,
                difference,
                self.settings.analysis.randomised,
            ),
        )


def _adjust_tasks(tasks: Sequence[TaskAnalysis]) -> list[TaskAnalysis]:
    tests = iter(holm([effect.test for task in tasks for effect in task.effects]))
    return [
        task.model_copy(
            update={
                "effects": tuple(
                    effect.model_copy(update={"test": next(tests)}) for effect in task.effects
                )
            }
        )
        for task in tasks
    ]


def _adjust_subgroups(blocks: Sequence[Subgroups]) -> list[Subgroups]:
    tests = iter(holm([block.interaction for block in blocks if block.interaction]))
    return [
        block.model_copy(update={"interaction": next(tests)}) if block.interaction else block
        for block in blocks
    ]


def _adjust_endpoints(endpoints: Sequence[EndpointAnalysis]) -> list[EndpointAnalysis]:
    tests = iter(holm([test for endpoint in endpoints for test in _log_ranks(endpoint)]))
    return [
        endpoint.model_copy(
            update={
                "comparisons": tuple(
                    found.model_copy(update={"log_rank": next(tests)}) if found.log_rank else found
                    for found in endpoint.comparisons
                )
            }
        )
        for endpoint in endpoints
    ]


def _log_ranks(endpoint: EndpointAnalysis) -> list[HypothesisTest]:
    return [found.log_rank for found in endpoint.comparisons if found.log_rank]


def _absent(
    settings: TrialAnalysisSettings, subjects: TrialSubjects, tasks: Sequence[TaskAnalysis]
) -> list[Absent]:
    missing = []
    if settings.arm is None:
        reason = "The study file names no arm, so there is nothing to compare."
        missing += [Absent(section=name, reason=reason) for name in ("effects", "subgroups")]
    elif not any(task.effects for task in tasks):
        reason = _no_comparison(subjects)
        missing += [Absent(section=name, reason=reason) for name in ("effects", "subgroups")]
    elif not subjects.slicings:
        reason = "The study file has no slices beside the arm (`slicing.by`)."
        missing.append(Absent(section="subgroups", reason=reason))
    if not settings.analysis.time_to_event:
        reason = "The study file names no time to an event (`analysis.time_to_event`)."
        missing.append(Absent(section="endpoints", reason=reason))
    return missing


def _no_comparison(subjects: TrialSubjects) -> str:
    """The reason why no arm is compared with its control."""
    if not any(factor.treatments for factor in subjects.factors):
        return "All subjects are in one arm, so there is nothing to compare."
    return (
        "No arm can be compared with the control: one of each pair has too few subjects with a "
        "known outcome to be shown (`slicing.smallest_group`)."
    )
