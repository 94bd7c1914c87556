"""The researcher's analysis as sections of a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from pipeline.estimates import Estimate
from pipeline.html import charts, numbers
from pipeline.html.blocks import (
    Block,
    Bullets,
    Cell,
    Column,
    Details,
    Facts,
    Figure,
    Paragraph,
    Table,
)
from pipeline.html.numbers import Suppressed, Value
from pipeline.html.page import Section
from pipeline.results.analysis import (
    Analysis,
    Correlation,
    Effect,
    EndpointAnalysis,
    Factor,
    Rate,
    Subgroups,
    SurvivalCurve,
    TaskAnalysis,
)
from pipeline.results.baseline import Characteristic, ValueCount
from pipeline.titles import title_or_name, titled

_MOST_CURVES = 5
_SHOWN_PAIRS = 20
_LARGE_DIFFERENCE = 0.1
"""Standardised differences above it are marked (Austin, Stat Med 2009;28:3083-107)."""

_EXACT = "Each curve steps at every event and goes to the end of its follow-up."
_THINNED = (
    "Each curve goes to the end of its follow-up, as long as enough subjects are observed; it is "
    "thinned so that no step is a single subject."
)


def analysis_sections(
    analysis: Analysis, titles: Mapping[str, str] = MappingProxyType({})
) -> list[Section]:
    """Sections of the analysis, in a statistician's order.

    Args:
        analysis: TrialAnalysis' document.
        titles: Titles of features by name; a feature without one is shown by its name.
    """
    sections = [
        Section("Baseline characteristics", _baseline(analysis, titles), id="baseline"),
        Section("Outcomes by arm", (), [_task(analysis, task, titles) for task in analysis.tasks]),
    ]
    if analysis.endpoints:
        parts = [_endpoint(endpoint, _is_exact(analysis)) for endpoint in analysis.endpoints]
        sections.append(Section("Time to event", (), parts))
    if analysis.subgroups:
        sections.append(Section("Subgroups", _subgroups(analysis)))
    if analysis.screening.pairs:
        sections.append(Section("Screening of correlations", _screening(analysis, titles)))
    sections.append(Section("How to read the analysis", _notes(analysis)))
    return sections


def _baseline(analysis: Analysis, titles: Mapping[str, str]) -> list[Block]:
    factors = [factor for factor in analysis.factors if factor.describes]
    blocks: list[Block] = []
    for factor in factors:
        found = [item for item in analysis.characteristics if item.factor == factor.name]
        if found:
            blocks.append(_characteristics(analysis, factor, found, titles))
    return blocks or [Paragraph("There is nothing to show.")]


def _characteristics(
    analysis: Analysis,
    factor: Factor,
    found: Sequence[Characteristic],
    titles: Mapping[str, str],
) -> Table:
    levels = [level.name for level in factor.levels]
    others = [level for level in levels if factor.control not in (None, level)]
    rows: list[list[Value | Cell]] = []
    for item in found:
        title = titled(item.name, titles)
        differences = {part.level: part.value for part in item.differences}
        compared = [_difference(differences.get(level)) for level in others]
        if item.kind == "number":
            by_level = {part.level: part for part in item.numbers}
            values = [_mean_sd(by_level[level].mean, by_level[level].sd) for level in levels]
            rows.append([f"{title}, mean (SD)", *values, *compared])
        else:
            rows.append([title, *([""] * len(levels)), *compared])
            rows += _value_rows(item.counts, levels, len(others))
    return Table(
        f"Characteristics at the moment of prediction, by {factor.name}",
        [
            Column("Characteristic"),
            *(
                Column(f"{level.name} ({numbers.text_of(_count(level.subjects))})", "end")
                for level in factor.levels
            ),
            *(Column(f"difference: {level}", "end", 2) for level in others),
        ],
        rows,
        [
            f"Difference: standardised, to {factor.control}; beyond ±{_LARGE_DIFFERENCE:g} it is "
            "marked. In a randomised trial such differences arise by chance."
            if others
            else "There is nothing to compare.",
            *_suppressed_note(analysis),
        ],
    )


def _suppressed_note(analysis: Analysis) -> list[str]:
    if _is_exact(analysis):
        return []
    return [
        f"Suppressed: fewer than {analysis.smallest_group} subjects, or a number from which such a "
        "group could be derived."
    ]


def _value_rows(
    counts: Sequence[ValueCount], levels: Sequence[str], others: int
) -> list[list[Value | Cell]]:
    by_value: dict[str, dict[str, ValueCount]] = {}
    for item in counts:
        by_value.setdefault(item.value, {})[item.level] = item
    return [
        [
            f"– {value}",
            *(_share(of_level.get(level)) for level in levels),
            *([""] * others),
        ]
        for value, of_level in by_value.items()
    ]


def _share(item: ValueCount | None) -> Value:
    if item is None:
        return 0
    if item.subjects is None:
        return Suppressed()
    return f"{numbers.count(item.subjects)} ({numbers.number(item.share, 1, True)})"


def _mean_sd(mean: float | None, sd: float | None) -> Value:
    if mean is None:
        return Suppressed()
    return f"{numbers.number(mean, 1)} ({numbers.number(sd, 1)})"


def _difference(value: float | None) -> Value | Cell:
    if value is not None and abs(value) > _LARGE_DIFFERENCE:
        return Cell(value, "warn")
    return value


def main_effects(analysis: Analysis, task: TaskAnalysis) -> list[Effect]:
    """Comparisons of a task that a reader should see first.

    In a factorial trial those of its factors, each over all subjects; else those of the arms.

    Args:
        analysis: The whole analysis.
        task: The task.
    """
    factors = {factor.name for factor in analysis.factors if factor.describes}
    return [effect for effect in task.effects if effect.comparison.factor in factors]


def _task(analysis: Analysis, task: TaskAnalysis, titles: Mapping[str, str]) -> Section:
    blocks: list[Block] = [_rates(task)]
    if task.effects:
        first = main_effects(analysis, task)
        others = [effect.says for effect in task.effects if effect not in first]
        in_numbers = _effects(task.effects, titles)
        blocks += [
            Bullets([effect.says for effect in first]),
            _effects_plot(task),
            Details(
                "All comparisons in numbers",
                (in_numbers, Bullets(others)) if others else (in_numbers,),
            ),
        ]
    return Section(title_or_name(task.task, task.title), blocks)


def _rates(task: TaskAnalysis) -> Table:
    return Table(
        f"{task.title}: how frequent it is",
        [
            Column("Group"),
            Column("Known", "end"),
            Column("With outcome", "end"),
            Column("Not known", "end"),
            Column("Rate (95 %)", "end", 1, percent=True),
        ],
        [
            [
                _level(rate),
                _count(rate.subjects),
                _count(rate.events),
                _count(rate.unknown),
                rate.rate,
            ]
            for rate in task.rates
        ],
    )


def _effects_plot(task: TaskAnalysis) -> Figure:
    rows = [
        charts.ForestRow(effect.comparison.text, effect.risk_difference) for effect in task.effects
    ]
    measure = charts.Measure("Risk difference", 1, percent=True)
    caption = "Left of the line: fewer events than with the control; right of it: more."
    return charts.forest_plot(rows, measure, caption, reference=0.0)


def _adjustment_notes(effects: Sequence[Effect], titles: Mapping[str, str]) -> list[str]:
    """Why there is no adjusted difference, and what a difference is not adjusted for."""
    absent = dict.fromkeys(item.adjusted.absent for item in effects if item.adjusted.absent)
    dropped = (
        f"{item.comparison.text}: not adjusted for everything: {covariate.says(titles)}."
        for item in effects
        for covariate in item.adjusted.dropped
    )
    return [*(f"Without an adjusted difference: {reason}" for reason in absent), *dropped]


def _effects(effects: Sequence[Effect], titles: Mapping[str, str]) -> Table:
    return Table(
        "Differences to the control",
        [
            Column("Comparison"),
            Column("Risk difference", "end", 1, percent=True),
            Column("Risk ratio", "end", 2),
            Column("Number needed"),
            Column("p", "end"),
            Column("p (Holm)", "end"),
            Column("Adjusted difference", "end", 1, percent=True),
        ],
        [
            [
                effect.comparison.text,
                effect.risk_difference,
                effect.risk_ratio,
                effect.number_needed.says,
                _p(effect.test.p_value),
                _p(effect.test.p_value_holm),
                effect.adjusted.risk_difference,
            ]
            for effect in effects
        ],
        _adjustment_notes(effects, titles),
    )


def _is_exact(analysis: Analysis) -> bool:
    """Whether groups of any size are shown, as in an internal report."""
    return analysis.smallest_group <= 1


def _endpoint(endpoint: EndpointAnalysis, is_exact: bool) -> Section:
    blocks: list[Block] = []
    factors = dict.fromkeys(curve.factor for curve in endpoint.curves)
    for factor in factors:
        shown = [curve for curve in endpoint.curves if curve.factor == factor and curve.points]
        # A chart has distinct colours for no more curves.
        for first in range(0, len(shown), _MOST_CURVES):
            blocks.append(_survival(endpoint, shown[first : first + _MOST_CURVES], is_exact))
    blocks.append(Bullets([comparison.says for comparison in endpoint.comparisons]))
    if any(item.hazard_ratio.value is not None for item in endpoint.comparisons):
        blocks.append(_hazards_plot(endpoint))
    if endpoint.comparisons:
        blocks.append(Details("All comparisons in numbers", (_hazards(endpoint),)))
    return Section(title_or_name(endpoint.endpoint, endpoint.title), blocks)


def _survival(endpoint: EndpointAnalysis, shown: Sequence[SurvivalCurve], is_exact: bool) -> Figure:
    curves = [
        charts.StepCurve(
            curve.level,
            [0.0, *(point.time for point in curve.points)],
            [
                Estimate(1.0, 1.0, 1.0),
                *(point.survival for point in curve.points),
            ],
            [(item.time, _count(item.subjects)) for item in curve.at_risk],
            curve.ends,
        )
        for curve in shown
    ]
    measure = charts.Measure("without the event", 0, percent=True)
    caption = (
        f"By {shown[0].factor}. Kaplan and Meier's estimate with 95 % bands; below, subjects "
        f"still under observation. {_EXACT if is_exact else _THINNED}"
    )
    return charts.step_curves(curves, measure, endpoint.unit, caption)


def _hazards_plot(endpoint: EndpointAnalysis) -> Figure:
    rows = [
        charts.ForestRow(item.comparison.text, item.hazard_ratio) for item in endpoint.comparisons
    ]
    caption = (
        "Left of the line: the event is less frequent than with the control; right of it: more."
    )
    return charts.forest_plot(
        rows, charts.Measure("Hazard ratio", 2), caption, reference=1.0, logarithmic=True
    )


def _hazards(endpoint: EndpointAnalysis) -> Table:
    rows: list[list[Value | Cell]] = [
        [
            item.comparison.text,
            item.hazard_ratio,
            _p(item.log_rank.p_value if item.log_rank else None),
            _p(item.log_rank.p_value_holm if item.log_rank else None),
            _p(item.proportional_hazards.p_value if item.proportional_hazards else None),
            item.restricted_mean_difference,
        ]
        for item in endpoint.comparisons
    ]
    return Table(
        "Times compared with the control",
        [
            Column("Comparison"),
            Column("Hazard ratio", "end", 2),
            Column("p, log-rank", "end"),
            Column("p (Holm)", "end"),
            Column("p, proportional hazards", "end"),
            Column(f"Difference of restricted means ({endpoint.unit})", "end", 1),
        ],
        rows,
        [
            "A small p of proportional hazards indicates that the hazard ratio changes over time; "
            "then the difference of restricted means is the better summary.",
            *dict.fromkeys(
                f"Without a hazard ratio: {item.absent}"
                for item in endpoint.comparisons
                if item.absent
            ),
        ],
    )


def _subgroups(analysis: Analysis) -> list[Block]:
    titles = _task_titles(analysis)
    blocks: list[Block] = []
    by_block: dict[tuple[str, str], list[Subgroups]] = {}
    for found in analysis.subgroups:
        by_block.setdefault((found.task, found.comparison.text), []).append(found)
    for (task, comparison), parts in by_block.items():
        rows: list[charts.ForestRow | str] = []
        for part in parts:
            tested = f", interaction p {_p(part.interaction.p_value)}" if part.interaction else ""
            rows.append(f"{part.slicing}{tested}")
            rows += [
                charts.ForestRow(
                    group.value,
                    group.risk_difference,
                    group.subjects + group.control_subjects,
                )
                for group in part.groups
            ]
        figure = charts.forest_plot(
            rows, charts.Measure("Risk difference", 1, percent=True), reference=0.0
        )
        blocks.append(Details(f"{titled(task, titles)}: {comparison}", (figure,)))
    return [
        Paragraph(
            "Whether a difference varies between groups of patients. Interaction tests answer "
            "that; a group's interval by itself does not. With as many tests as here some p values "
            "are small by chance."
        ),
        *blocks,
    ]


def _task_titles(analysis: Analysis) -> dict[str, str]:
    return {task.task: task.title for task in analysis.tasks}


def _screening(analysis: Analysis, titles: Mapping[str, str]) -> list[Block]:
    screening = analysis.screening
    selected = sum(pair.selected for pair in screening.pairs)
    share = numbers.number(screening.false_discovery_rate, 0, True)
    return [
        Paragraph(
            f"{selected} of {len(screening.pairs)} pairs of a baseline characteristic and an "
            f"outcome are selected; of those {share} are expected to be false. A correlation is "
            "no cause."
        ),
        _pairs(screening.pairs[:_SHOWN_PAIRS], titles, _task_titles(analysis)),
    ]


def _pairs(
    pairs: Sequence[Correlation], titles: Mapping[str, str], tasks: Mapping[str, str]
) -> Table:
    measures = {"spearman": "Spearman", "cramers_v": "Cramér's V"}
    return Table(
        f"The {len(pairs)} pairs with the smallest q values",
        [
            Column("Characteristic"),
            Column("Task"),
            Column("Measure"),
            Column("Strength (95 %)", "end", 2),
            Column("q", "end"),
            Column("Selected"),
        ],
        [
            [
                titled(pair.characteristic, titles),
                titled(pair.task, tasks),
                measures[pair.measure],
                pair.strength,
                _p(pair.q_value),
                "yes" if pair.selected else "no",
            ]
            for pair in pairs
        ],
    )


def _notes(analysis: Analysis) -> list[Block]:
    blocks: list[Block] = [Bullets(analysis.notes)]
    if analysis.absent:
        blocks.append(Facts([(item.section, item.reason) for item in analysis.absent]))
    terms = [(term.title, term.says) for term in analysis.terms.values()]
    return [*blocks, Details("Definitions of the numbers", (Facts(terms),))]


def _count(value: int | None) -> int | Suppressed:
    # None may stand for a large group from which a small one could be derived.
    return Suppressed() if value is None else value


def _level(rate: Rate) -> str:
    return rate.level if rate.factor in ("arm", "all") else f"{rate.factor} {rate.level}"


def _p(value: float | None) -> str | None:
    if value is None:
        return None
    return "< 0.001" if value < 0.001 else numbers.number(value, 3)
