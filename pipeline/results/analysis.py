"""The analysis of the arms of a run: what `analysis.json` holds.

TrialAnalysis writes it, reports and notebooks read it (`pipeline.results.documents.read_result`).
All intervals are of 95 %. What is null is suppressed (a group is too small, or would give one away)
or can't be estimated; where the reason is not obvious it is given beside. docs/analysis.md
explains how every number is computed.
"""

from __future__ import annotations

from typing import Literal

from pipeline.documents import Count, Document
from pipeline.estimates import Estimate
from pipeline.results.baseline import Characteristic

Direction = Literal["fewer", "more", "undecided"]
Association = Literal["spearman", "cramers_v"]


class HypothesisTest(Document):
    """A test of a hypothesis.

    Attributes:
        name: Which test, for people.
        p_value: Its p value.
        p_value_holm: The same, adjusted by Holm for all tests of its family.
        statistic: The test statistic, where it has one.
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
        name: The arm, or what was given of one part of the treatment.
        subjects: How many; null where that is suppressed.
    """

    name: str
    subjects: Count | None


class Factor(Document):
    """What divides subjects into groups that are compared.

    Attributes:
        name: `arm`; in a trial whose arm has several columns also each of these; `all` where
            there are no arms.
        control: The level that the others are compared with; null where there is nothing to
            compare.
        levels: All of them.
        describes: Whether baseline and subgroups are shown by this factor.
    """

    name: str
    control: str | None
    levels: tuple[Level, ...]
    describes: bool


class Comparison(Document):
    """Which groups are compared.

    Attributes:
        factor: The factor.
        level: The group that is compared ...
        control: ... with this one.
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
    """How frequent a task's outcome is in a group.

    Attributes:
        factor: The factor.
        level: The group.
        subjects: Subjects whose outcome is known; null, like the rest, where suppressed.
        events: Those of them with the outcome.
        unknown: Subjects whose outcome is not known; they are left out.
        rate: Events by subjects, with Wilson's interval.
    """

    factor: str
    level: str
    subjects: Count | None
    events: Count | None
    unknown: Count | None
    rate: Estimate


class NumberNeeded(Document):
    """Number of subjects for one event fewer or more: 1 by the risk difference.

    Attributes:
        direction: `undecided` where the interval of the difference holds 0: then the interval
            of this number passes through infinity, and the two ends below belong to `fewer` and
            `more`.
        value: The point; null where the difference is 0.
        value_means: What the point itself means, whatever the interval says.
        lower: Smallest number that is compatible with the data; for `undecided` the smallest
            number for one event fewer.
        upper: Largest one; for `undecided` the smallest number for one event more.
        says: All of that in words.
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
            covariates before it; `repeats the group`: it tells the two groups apart, for example
            because it is the arm, or is missing in one of them.
    """

    name: str
    reason: DropReason

    @property
    def says(self) -> str:
        """The reason in words."""
        return {
            "constant": f"{self.name} has one value only",
            "repeats others": f"{self.name} follows from the other covariates",
            "repeats the group": (
                f"{self.name} can't be told apart from the group (it repeats the arm, or is "
                "missing in one group)"
            ),
        }[self.reason]


class AdjustedEffect(Document):
    """A difference after adjustment for baseline characteristics.

    Attributes:
        absent: Why there is none; null where there is one.
        covariates: What it is adjusted for.
        dropped: What it could not be adjusted for.
        subjects: Subjects that the model was fitted on.
        risk_difference: Level minus control, standardised to all subjects of both.
        risk_ratio: Level by control, standardised likewise.
        p_value: Of the risk difference (Wald).
    """

    absent: str | None
    covariates: tuple[str, ...] = ()
    dropped: tuple[DroppedCovariate, ...] = ()
    subjects: Count | None = None
    risk_difference: Estimate = Estimate()
    risk_ratio: Estimate = Estimate()
    p_value: float | None = None


class Effect(Document):
    """How a task's outcome differs between two groups.

    Attributes:
        comparison: Which groups.
        risk_difference: Rate of the level minus rate of the control.
        risk_ratio: Rate of the level by rate of the control.
        number_needed: Subjects for one event fewer or more.
        test: Of the hypothesis that both rates are the same.
        adjusted: After adjustment.
        says: The result, a sentence.
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
        rates: How frequent the outcome is in each group.
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
        subjects: Subjects of the level whose outcome is known.
        events: Those of them with the outcome.
        control_subjects: The same of the control.
        control_events: The same of the control.
        risk_difference: Rate of the level minus rate of the control.
        risk_ratio: Rate of the level by rate of the control.
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
        comparison: What is compared.
        slicing: By what subjects are divided.
        groups: Those that may be shown.
        withheld: How many are not shown.
        interaction: Of the hypothesis that the odds ratio is the same in all groups shown; null
            with fewer than two of them.
    """

    task: str
    comparison: Comparison
    slicing: str
    groups: tuple[Subgroup, ...]
    withheld: Count
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
        unknown: Subjects without a usable time; they are left out.
        points: The curve, thinned: it steps at these times.
        ends: Last time that it is shown for.
        at_risk: At a few round times.
        median: Time by which half of the subjects had the event, rounded up to the curve's grid;
            null, like the ends of its interval, where that is not reached while the curve is
            shown.
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
    """How times to an event differ between two groups.

    Attributes:
        comparison: Which groups.
        log_rank: Of the hypothesis that both curves are the same.
        hazard_ratio: Cox's model with the group alone.
        proportional_hazards: Of the hypothesis that the hazard ratio is the same at all times.
        restricted_mean_difference: Mean time without the event up to `restricted_to`, level
            minus control, in the endpoint's unit.
        restricted_to: Up to which time.
        subjects: Subjects that Cox's model was fitted on; null with `absent`.
        absent: Why there is no comparison; null where there is one.
        says: The result, a sentence.
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
        horizon: Times beyond it are censored at it; null where nothing is cut.
        curves: One for each group.
        comparisons: Each with the control.
    """

    endpoint: str
    title: str
    unit: str
    horizon: float | None
    curves: tuple[SurvivalCurve, ...]
    comparisons: tuple[SurvivalComparison, ...]


class Correlation(Document):
    """How a baseline characteristic and a task's outcome go together, over all arms.

    Attributes:
        characteristic: The feature.
        task: The task.
        measure: Spearman's rank correlation (of a number, from -1 to 1) or Cramér's V (of a
            category, from 0 to 1).
        strength: The measure.
        subjects: Subjects whose outcome and characteristic are known, a sample where they are very
            many; null where suppressed.
        p_value: Of the hypothesis that they are independent.
        q_value: The same after Benjamini and Hochberg, over all pairs of the screening.
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
        false_discovery_rate: Expected share of false ones among the selected.
        pairs: By rising q value.
    """

    false_discovery_rate: float
    pairs: tuple[Correlation, ...]


class Absent(Document):
    """What a document does not have, and why.

    Attributes:
        section: The section.
        reason: Why it is not there.
    """

    section: str
    reason: str


class Term(Document):
    """A number of this document in words.

    Attributes:
        title: The term.
        says: What it means.
    """

    title: str
    says: str


class Analysis(Document):
    """`analysis.json`.

    Attributes:
        study: The study.
        title: The study's title.
        randomised: Whether chance alone decided about the arms. If not, differences between
            arms are not effects of the treatment.
        smallest_group: Fewest subjects that a group is shown for.
        subjects: Subjects of all splits together; null where suppressed.
        factors: What is compared.
        characteristics: The table of baseline characteristics.
        tasks: Rates and differences.
        subgroups: Differences by group.
        endpoints: Times to events.
        screening: Correlations of baseline characteristics and tasks.
        terms: What every kind of number is, in words.
        notes: What a reader must know of the whole, multiplicity included.
        absent: What is not there.
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
