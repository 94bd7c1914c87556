"""The analysis of the arms of a run: the content of `analysis.json`.

TrialAnalysis writes it, reports and notebooks read it (`pipeline.results.documents.read_result`).
All intervals are 95 % intervals. A null value is suppressed (the group is too small, or a small one
would follow from it) or can't be estimated; if the reason is not obvious it is given too.
docs/analysis.md explains how every number is computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AliasChoices, Field

from pipeline.documents import Count, Document
from pipeline.estimates import Estimate
from pipeline.results.baseline import Characteristic
from pipeline.titles import titled

Direction = Literal["fewer", "more", "undecided"]
Association = Literal["spearman", "cramers_v"]


class HypothesisTest(Document):
    """A test of a hypothesis.

    Attributes:
        name: Name of the test, for people.
        p_value: Its p value.
        p_value_holm: The same, adjusted by Holm for all tests of its family.
        statistic: The test statistic; null if it has none.
        degrees_of_freedom: Of the statistic's distribution.
    """

    name: str
    p_value: float
    p_value_holm: float | None = None
    statistic: float | None = None
    degrees_of_freedom: int | None = None


class Level(Document):
    """A group of subjects of a factor.

    Attributes:
        name: The arm, or the level of one part of the treatment.
        subjects: Number of subjects; null where suppressed.
    """

    name: str
    subjects: Count | None


class Factor(Document):
    """A division of the subjects into groups that are compared.

    Attributes:
        name: `arm`; in a trial whose arm has several columns also each of these; `all` where
            there are no arms.
        control: The level that the others are compared with; null without comparisons.
        levels: All levels.
        describes: Whether baseline and subgroups are shown by this factor.
    """

    name: str
    control: str | None
    levels: tuple[Level, ...]
    describes: bool


class Comparison(Document):
    """The two groups of a comparison.

    Attributes:
        factor: The factor.
        level: The group that is compared with the control.
        control: The group that it is compared with.
    """

    factor: str
    level: str
    control: str

    @property
    def text(self) -> str:
        """The comparison for people."""
        name = "" if self.factor == "arm" else f"{self.factor} "
        return f"{name}{self.level} against {self.control}"


class Rate(Document):
    """Rate of a task's outcome in a group.

    Attributes:
        factor: The factor.
        level: The group.
        subjects: Subjects whose outcome is known; null, like the rest, where suppressed.
        events: Those of them with the outcome.
        unknown: Subjects with an unknown outcome; they are excluded.
        rate: Events divided by subjects, with Wilson's interval.
    """

    factor: str
    level: str
    subjects: Count | None
    events: Count | None
    unknown: Count | None
    rate: Estimate


class NumberNeeded(Document):
    """Number of subjects for one event fewer or more: 1 divided by the risk difference.

    Attributes:
        direction: `undecided` if the interval of the difference includes 0: then the interval of
            this number passes through infinity, and the two bounds below belong to `fewer` and
            `more`.
        value: The point estimate; null where the difference is 0.
        value_means: Direction of the point estimate, regardless of the interval.
        lower: Smallest number that is compatible with the data; for `undecided` the smallest
            number for one event fewer.
        upper: Largest one; for `undecided` the smallest number for one event more.
        says: The result as a sentence.
    """

    direction: Direction
    value: float | None
    value_means: Direction
    lower: float | None
    upper: float | None
    says: str


DropReason = Literal["constant", "repeats others", "repeats the group"]
"""Why a covariate is left out of an adjustment."""


class DroppedCovariate(Document):
    """A characteristic that a difference could not be adjusted for.

    Attributes:
        name: The characteristic.
        reason: `constant`: it has one value in both groups; `repeats others`: it follows from
            covariates before it; `repeats the group`: it separates the two groups, for example
            because it is the arm, or is missing in one of them.
    """

    name: str
    reason: DropReason

    def says(self, titles: Mapping[str, str]) -> str:
        """The reason in words.

        Args:
            titles: Titles of features by name.
        """
        title = titled(self.name, titles)
        return {
            "constant": f"{title} has one value only",
            "repeats others": f"{title} follows from the other covariates",
            "repeats the group": (
                f"{title} can't be distinguished from the group (it repeats the arm, or is "
                "missing in one group)"
            ),
        }[self.reason]


class AdjustedEffect(Document):
    """A difference after adjustment for baseline characteristics.

    Attributes:
        absent: Reason why there is no adjusted effect; null if there is one.
        covariates: Covariates that it is adjusted for.
        dropped: Covariates that it could not be adjusted for.
        subjects: Subjects that the model was fitted on.
        risk_difference: Level minus control, standardised to all subjects of both.
        risk_ratio: Level divided by control, standardised likewise.
        p_value: P value of the risk difference (Wald).
    """

    absent: str | None
    covariates: tuple[str, ...] = ()
    dropped: tuple[DroppedCovariate, ...] = ()
    subjects: Count | None = None
    risk_difference: Estimate = Estimate()
    risk_ratio: Estimate = Estimate()
    p_value: float | None = None


class Effect(Document):
    """Effect on a task's outcome: difference between two groups.

    Attributes:
        comparison: The two groups.
        risk_difference: Rate of the level minus rate of the control.
        risk_ratio: Rate of the level divided by rate of the control.
        number_needed: Subjects for one event fewer or more.
        test: Test of the hypothesis that both rates are equal.
        adjusted: The effect adjusted for baseline characteristics.
        says: The result as a sentence.
    """

    comparison: Comparison
    risk_difference: Estimate
    risk_ratio: Estimate
    number_needed: NumberNeeded
    test: HypothesisTest
    adjusted: AdjustedEffect
    says: str


class TaskAnalysis(Document):
    """A task: rates of all groups and differences to the control.

    Attributes:
        task: The task's name.
        title: The task for people.
        kind: `outcome`, `response` or `adverse_event`.
        rates: Rate of the outcome in each group.
        effects: Each group compared with its control.
    """

    task: str
    title: str
    kind: str
    rates: tuple[Rate, ...]
    effects: tuple[Effect, ...]


class Subgroup(Document):
    """A comparison within a group of subjects: a row of a forest plot.

    Attributes:
        value: The group.
        subjects: Subjects of the level whose outcome is known. Where the task has unknown outcomes
            all subjects; events are rounded then, the difference is at a resolution
            (`pipeline.results.resolution`), and there is no ratio.
        events: Those of them with the outcome.
        control_subjects: The same of the control.
        control_events: The same of the control.
        risk_difference: Rate of the level minus rate of the control.
        risk_ratio: Rate of the level divided by rate of the control.
    """

    value: str
    subjects: Count
    events: Count
    control_subjects: Count
    control_events: Count
    risk_difference: Estimate
    risk_ratio: Estimate


class Subgroups(Document):
    """A comparison by the groups of a slicing: a block of a forest plot.

    Attributes:
        task: The task.
        comparison: The two groups that are compared.
        slicing: The slicing that forms the subgroups.
        groups: Groups that may be shown.
        suppressed: Number of suppressed groups; documents of 0.1.0 call it `withheld`.
        interaction: Test of the hypothesis that the odds ratio is the same in all groups shown;
            null with fewer than two of them.
    """

    task: str
    comparison: Comparison
    slicing: str
    groups: tuple[Subgroup, ...]
    suppressed: Annotated[Count, Field(validation_alias=AliasChoices("suppressed", "withheld"))]
    interaction: HypothesisTest | None


class CurvePoint(Document):
    """Estimate at a time: the share that has not had the event by then.

    Attributes:
        time: The time.
        survival: Share without the event by then, with its interval.
    """

    time: float
    survival: Estimate


class AtRisk(Document):
    """Subjects under observation without the event just before a time; null where suppressed.

    Attributes:
        time: The time.
        subjects: Subjects under observation then; null where suppressed.
    """

    time: float
    subjects: Count | None


class SurvivalCurve(Document):
    """Kaplan-Meier curve of a group.

    Attributes:
        factor: The factor.
        level: The group.
        subjects: Subjects with a time; null, like the rest, where suppressed.
        events: Those of them with the event.
        unknown: Subjects without a usable time; they are excluded.
        points: The curve, thinned: it steps at these times.
        ends: Last time of the curve that is shown.
        at_risk: Numbers at risk at a few round times.
        median: Time by which half of the subjects had the event, rounded up to the curve's grid;
            null, like the bounds of its interval, where it is not reached while the curve is shown.
    """

    factor: str
    level: str
    subjects: Count | None
    events: Count | None
    unknown: Count | None
    points: tuple[CurvePoint, ...]
    ends: float | None
    at_risk: tuple[AtRisk, ...]
    median: Estimate


class SurvivalComparison(Document):
    """Difference in times to an event between two groups.

    Attributes:
        comparison: The two groups.
        log_rank: Test of the hypothesis that both curves are the same.
        hazard_ratio: Cox's model with the group as the only covariate.
        proportional_hazards: Test of the hypothesis that the hazard ratio is constant over time.
        restricted_mean_difference: Mean time without the event up to `restricted_to`, level
            minus control, in the endpoint's unit.
        restricted_to: The time up to which means are restricted.
        subjects: Subjects that Cox's model was fitted on; null with `absent`.
        absent: Reason why there is no comparison; null if there is one.
        says: The result as a sentence.
    """

    comparison: Comparison
    log_rank: HypothesisTest | None
    hazard_ratio: Estimate
    proportional_hazards: HypothesisTest | None
    restricted_mean_difference: Estimate
    restricted_to: float | None
    subjects: Count | None
    absent: str | None
    says: str


class EndpointAnalysis(Document):
    """A time to an event.

    Attributes:
        endpoint: Its name in the study file.
        title: For people.
        unit: Unit of its times.
        horizon: Times beyond it are censored at it; null without censoring.
        curves: One for each group.
        comparisons: Comparison of each group with the control.
    """

    endpoint: str
    title: str
    unit: str
    horizon: float | None
    curves: tuple[SurvivalCurve, ...]
    comparisons: tuple[SurvivalComparison, ...]


class Correlation(Document):
    """Association of a baseline characteristic with a task's outcome, over all arms.

    Attributes:
        characteristic: The feature.
        task: The task.
        measure: Spearman's rank correlation (of a number, from -1 to 1) or Cramér's V (of a
            category, from 0 to 1).
        strength: The measure.
        subjects: Subjects whose outcome and characteristic are known, a sample if there are too
            many; null where suppressed.
        p_value: P value of the hypothesis that they are independent.
        q_value: The same adjusted by Benjamini and Hochberg, over all pairs of the screening.
        selected: Whether the q value is at most the screening's false discovery rate.
    """

    characteristic: str
    task: str
    measure: Association
    strength: Estimate
    subjects: Count | None
    p_value: float
    q_value: float
    selected: bool


class Screening(Document):
    """All baseline characteristics by all tasks.

    Attributes:
        false_discovery_rate: Expected share of false positives among the selected pairs.
        pairs: All pairs by rising q value.
    """

    false_discovery_rate: float
    pairs: tuple[Correlation, ...]


class Absent(Document):
    """A part that the document lacks, with the reason.

    Attributes:
        section: The section.
        reason: Reason why it is missing.
    """

    section: str
    reason: str


class Term(Document):
    """Explanation of a number of this document.

    Attributes:
        title: The term.
        says: Its meaning.
    """

    title: str
    says: str


class Analysis(Document):
    """`analysis.json`.

    Attributes:
        study: The study.
        title: The study's title.
        randomised: Whether the arms were assigned at random. If not, differences between arms are
            not effects of the treatment.
        smallest_group: Fewest subjects that a group is shown for.
        subjects: Subjects of all splits together; null where suppressed.
        factors: Divisions of the subjects that are compared.
        characteristics: The table of baseline characteristics.
        tasks: Rates and differences.
        subgroups: Differences by group.
        endpoints: Times to events.
        screening: Correlations of baseline characteristics and tasks.
        terms: Explanation of every kind of number.
        notes: Notes on the whole analysis, including multiplicity.
        absent: Missing parts.
    """

    study: str
    title: str
    randomised: bool
    smallest_group: Count
    subjects: Count | None
    factors: tuple[Factor, ...]
    characteristics: tuple[Characteristic, ...]
    tasks: tuple[TaskAnalysis, ...]
    subgroups: tuple[Subgroups, ...]
    endpoints: tuple[EndpointAnalysis, ...]
    screening: Screening
    terms: dict[str, Term]
    notes: tuple[str, ...]
    absent: tuple[Absent, ...]
