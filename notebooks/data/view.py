"""The data notebook's view of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps

import numpy as np

from notebooks.data.distribution_chart import distribution_chart
from notebooks.data.drift import Drift, drift_since
from notebooks.data.feature_statistics import FeatureStatistics, bars, read_statistics
from notebooks.data.gate_blocks import finding_blocks, read_anomalies
from notebooks.data.missing_blocks import missing_blocks
from notebooks.data.missingness import missingness
from notebooks.opened_run import OpenedRun
from notebooks.shown import Shown, show
from notebooks.study_runs import ComparedRun, root_of, runs_of_study
from pipeline.estimates import Estimate
from pipeline.html.blocks import (
    Block,
    Cell,
    Column,
    Details,
    Figure,
    Grid,
    KeyFigure,
    KeyFigures,
    Notice,
    Paragraph,
    Table,
)
from pipeline.html.charts import Bar, Limit, Measure, bar_chart
from pipeline.html.numbers import Suppressed, Value, count, number
from pipeline.names import ARM, SITE
from pipeline.reading.examples import examples_at, read_columns
from pipeline.results.counts import Counts
from pipeline.results.documents import read_result
from pipeline.results.evaluation_plan import EvaluationPlan, read_plan
from pipeline.results.findings import Finding
from pipeline.runs.stage_record import gate_findings, read_records
from pipeline.skew.distance import Distance
from pipeline.study.features import feature_columns, feature_titles
from pipeline.study.slicing_titles import task_titles
from pipeline.study.study import Study
from pipeline.titles import titled

_MOST_CHARTS = 24
_MOST_LEVELS = 3
_MOST_DISTANCES = 20
_MOST_EARLIER_RUNS = 3
_MOST_DRIFTED = 6

_CENSORED = (
    "Follow-up of some subjects ended before a task's horizon. The rate here is that of the known "
    "labels, which is too high; models, metrics and the analysis weight them for the others."
)
_MISSING_MEASURE = "change in the share of missing values"


def _needs(
    stage: str, name: str
) -> Callable[[Callable[[DataView], Shown]], Callable[[DataView], Shown]]:
    """Shows a message instead of a cell's result if the run ended before its stage."""

    def decorate(cell: Callable[[DataView], Shown]) -> Callable[[DataView], Shown]:
        @wraps(cell)
        def shown(view: DataView) -> Shown:
            file = view.run.file
            if file.output(stage, name) is not None:
                return cell(view)
            at = f" at {file.failed_stage}" if file.failed_stage else ""
            return show(
                Notice("warn", f"This run did not reach {stage}", f"It ended as {file.status}{at}.")
            )

        return shown

    return decorate


@dataclass(frozen=True)
class DataView:
    """The data of a run, a cell at a time.

    Attributes:
        run: The run.
    """

    run: OpenedRun

    @_needs("TrialExampleGen", "rejects")
    def subjects(self) -> Shown:
        """Subjects and outcomes by split."""
        counts = self._counts
        smallest = self._study.slicing.smallest_group
        figures = [
            KeyFigure(
                self._figure_title(split),
                counts.subjects.get(split, 0),
            )
            for split in self._splits
        ]
        rows: list[list[Value]] = []
        for task, splits in counts.tasks.items():
            for split in self._splits:
                labels = splits.get(split)
                if labels is None:
                    continue
                rows.append(
                    [
                        self._study.tasks[task].title,
                        self._split_title(split),
                        labels.known,
                        labels.positives,
                        labels.positives / labels.known if labels.known else None,
                        _unknown(counts.subjects.get(split, 0) - labels.known, smallest),
                    ]
                )
        is_censored = not all(of.is_complete for of in counts.censoring.values())
        table = Table(
            "Outcomes by task" if self._plan.out_of_fold else "Outcomes by task and split",
            [
                Column("Task"),
                Column("Subjects" if self._plan.out_of_fold else "Split"),
                Column("Outcome known", "end"),
                Column("With outcome", "end"),
                Column("Rate", "end", 1, percent=True),
                Column("Not known", "end"),
            ],
            rows,
            [
                "Subjects with an unknown outcome (observation ended too early, an event before "
                "the landmark) are excluded from that task; they never count as being "
                "without the outcome.",
                *([_CENSORED] if is_censored else ()),
            ],
        )
        return show(KeyFigures(figures), table)

    @_needs("TrialExampleGen", "rejects")
    def rejected(self) -> Shown:
        """Rows that were read, excluded and rejected, with the reasons."""
        counts = self._counts
        table = Table(
            "Rows by dataset",
            [
                Column("Dataset"),
                Column("Read", "end"),
                Column("Used", "end"),
                Column("Excluded by the study file", "end"),
                Column("Rejected", "end"),
                Column("Share rejected", "end", 2, percent=True),
            ],
            [
                [
                    name,
                    dataset.rows_in,
                    dataset.used,
                    dataset.excluded,
                    Cell(dataset.rejected, "warn") if dataset.rejected else 0,
                    dataset.rejected / dataset.rows_in if dataset.rows_in else None,
                ]
                for name, dataset in counts.datasets.items()
            ],
        )
        reasons: list[list[Value]] = [
            [name, reason, number_of]
            for name, dataset in counts.datasets.items()
            for reason, number_of in sorted(dataset.reasons.items(), key=lambda item: -item[1])
        ]
        if not reasons:
            return show(table, Paragraph("No row was rejected: none had an impossible value."))
        why = Table(
            "Why rows were rejected",
            [Column("Dataset"), Column("Reason"), Column("Rows", "end")],
            reasons,
        )
        return show(table, why)

    def gate(self) -> Shown:
        """Findings of the data gate, most serious first."""
        if not self._gated:
            reason = self.run.file.reason or ""
            return show(Notice("warn", "This run did not reach the gate", reason))
        stopped = [Notice("bad", "The gate stopped this run before training")]
        return show(
            *(stopped if self.run.file.failed_stage == "DataGate" else []),
            *finding_blocks(self._findings, task_titles(self._study)),
        )

    @_needs("ExampleValidator", "anomalies")
    def anomalies(self) -> Shown:
        """Anomalies against the curated schema, by split."""
        found = [
            [self._split_title(split), item.about or "all columns", item.message]
            for split in self._splits
            for item in read_anomalies(self.run, split)
        ]
        if not found:
            return show(Notice("good", "All columns match the curated schema"))
        columns = [Column("Split"), Column("Column"), Column("Anomaly")]
        return show(Table("Anomalies", columns, found))

    @_needs("StatisticsGen", "statistics")
    def statistics(self) -> Shown:
        """Each column that the model reads, by split."""
        rows = [
            [
                titled(name, self._titles),
                *(self._missing(self._statistics[split].get(name)) for split in self._splits),
                *(self._summary(self._statistics[split].get(name)) for split in self._splits),
            ]
            for name in self._features
        ]
        table = Table(
            "Columns that the model reads: missing values; mean (standard deviation), or the most "
            "frequent values",
            [
                Column("Column"),
                *(
                    Column(f"Missing, {self._split_title(split)}", "end", 1, percent=True)
                    for split in self._splits
                ),
                *(Column(self._split_title(split).capitalize()) for split in self._splits),
            ],
            rows,
            [self._rule],
        )
        return show(table)

    @_needs("StatisticsGen", "statistics")
    def distributions(self) -> Shown:
        """Distributions of the columns in each split."""
        figures = [
            figure
            for name in self._features
            if (
                figure := self._chart(
                    name,
                    {self._split_title(s): self._statistics[s].get(name) for s in self._splits},
                )
            )
        ]
        if not figures:
            return show(Paragraph(f"No column has enough subjects to be drawn. {self._rule}"))
        first, rest = figures[:_MOST_CHARTS], figures[_MOST_CHARTS:]
        more = [Details(f"{len(rest)} more columns", (Grid(rest),))] if rest else []
        return show(Grid(first), *more, Paragraph(self._rule))

    @_needs("StatisticsGen", "statistics")
    def drift(self) -> Shown:
        """Distances from earlier runs, and the columns with the largest ones side by side."""
        blocks: list[Block] = [self._since_champion()]
        if not self._drifts:
            blocks.append(
                Paragraph(
                    "There is no earlier run of this study with statistics below the same root, so "
                    "there is nothing to compare this run with."
                )
            )
        for drift in self._drifts:
            blocks += self._drift_blocks(drift)
        return show(*blocks)

    @_needs("TrialExampleGen", "examples")
    def missing_by_arm(self) -> Shown:
        """Shares of missing values by arm."""
        if self._study.arm is None:
            return show(Paragraph("The study file names no arm."))
        return self._missing_by("arm", ARM)

    @_needs("TrialExampleGen", "examples")
    def missing_by_site(self) -> Shown:
        """Shares of missing values by site."""
        if self._study.site is None:
            return show(Paragraph("The study file names no site."))
        return self._missing_by("site", SITE)

    @property
    def _study(self) -> Study:
        return self.run.study

    @property
    def _smallest(self) -> int:
        return self._study.slicing.smallest_group

    @property
    def _rule(self) -> str:
        return (
            f"No number describes fewer than {count(self._smallest)} subjects: bars are merged "
            "until they hold as many, their edges are rounded and the outermost ones open, rare "
            "values are pooled, and extreme values are not shown."
        )

    @property
    def _features(self) -> tuple[str, ...]:
        numbers, categories = feature_columns(self._study)
        return (*numbers, *categories)

    @cached_property
    def _titles(self) -> dict[str, str]:
        return feature_titles(self._study)

    @cached_property
    def _counts(self) -> Counts:
        return read_result(Counts, self.run.output("TrialExampleGen", "rejects"))

    @property
    def _gated(self) -> bool:
        return "DataGate" in (*self.run.file.outputs, self.run.file.failed_stage)

    @cached_property
    def _findings(self) -> tuple[Finding, ...]:
        folder = self.run.file.output("DataGate", "findings")
        return gate_findings(folder, read_records(self.run.folder)).root

    @cached_property
    def _plan(self) -> EvaluationPlan:
        return read_plan(self.run.output("TrialExampleGen", "rejects"))

    @property
    def _splits(self) -> tuple[str, ...]:
        """Splits that have subjects."""
        return self._plan.splits

    def _split_title(self, split: str) -> str:
        return "all" if self._plan.out_of_fold else split

    def _figure_title(self, split: str) -> str:
        return "subjects" if self._plan.out_of_fold else f"subjects in {split}"

    @cached_property
    def _statistics(self) -> dict[str, dict[str, FeatureStatistics]]:
        folder = self.run.output("StatisticsGen", "statistics")
        return {split: read_statistics(folder, split) for split in self._splits}

    @cached_property
    def _drifts(self) -> tuple[Drift, ...]:
        return drift_since(
            self._study,
            self.run.output("StatisticsGen", "statistics"),
            ComparedRun(self.run.file),
            runs_of_study(self.run.file.study, root_of(self.run.folder)),
            _MOST_EARLIER_RUNS,
        )

    def _missing(self, found: FeatureStatistics | None) -> Value:
        if found is None or not found.subjects:
            return None
        lacking = found.subjects - found.present
        if 0 < lacking < self._smallest:
            return Suppressed(self._smallest)
        return Suppressed() if 0 < found.present < self._smallest else found.missing_share

    def _summary(self, found: FeatureStatistics | None) -> Value:
        if found is None or found.present < self._smallest:
            return Suppressed(self._smallest)
        if found.mean is not None:
            return f"{_rounded(found.mean)} ({_rounded(found.deviation)})"
        drawn = bars([found], self._smallest)
        if drawn is None:
            return Suppressed()
        pairs = zip(drawn.names, drawn.shares[0], strict=True)
        texts = [f"{name}: {number(share, 0, percent=True)}" for name, share in pairs]
        more = len(texts) - _MOST_LEVELS
        return ", ".join(texts[:_MOST_LEVELS]) + (f" and {more} more" if more > 0 else "")

    def _chart(self, name: str, by_name: dict[str, FeatureStatistics | None]) -> Figure | None:
        found = {key: item for key, item in by_name.items() if item is not None}
        drawn = bars(list(found.values()), self._smallest)
        title = titled(name, self._titles)
        return distribution_chart(title, list(found), drawn) if drawn else None

    def _since_champion(self) -> Block:
        if not self._gated:
            return Paragraph("This run did not reach the gate, which measures drift.")
        findings = [item for item in self._findings if item.rule == "drift"]
        if not findings:
            return Paragraph(
                "The gate compared nothing: when this run started, the study had no champion with "
                "statistics yet."
            )
        over = [item for item in findings if item.severity != "ok"]
        measured = f"{count(len(findings))} distances from the train data of the champion"
        if not over:
            return Notice("good", "No drift from the champion", f"{measured} are within the limit.")
        items = [item.message for item in over]
        return Notice("warn", "Drift from the champion", f"Of {measured}:", items)

    def _drift_blocks(self, drift: Drift) -> Iterator[Block]:
        limit = self._study.gate.drift_limit
        known = [item for item in drift.distances if item.value is not None]
        ordered = sorted(known, key=lambda item: -(item.value or 0))
        same = "the same data" if drift.same_data else "other data"
        yield Paragraph(f"Run {drift.earlier} read {same}.")
        if not any(item.value for item in known):
            yield Paragraph("All distances of its train split from this run's are 0.")
            return
        yield bar_chart(
            [_bar(item, limit, self._titles) for item in ordered[:_MOST_DISTANCES]],
            Measure("distance, from 0 (the same) to 1", 3),
            f"Distances of this run's train split from run {drift.earlier}, the largest first.",
            Limit(limit, "limit"),
        )
        yield Grid(list(self._moved(drift, ordered)))
        unknown = [item.feature for item in drift.distances if item.value is None]
        if unknown:
            yield Paragraph(f"Not compared, because one side has no values: {', '.join(unknown)}.")

    def _moved(self, drift: Drift, ordered: Sequence[Distance]) -> Iterator[Figure]:
        then = read_statistics(drift.folder, "train")
        features = [item.feature for item in ordered if item.measure != _MISSING_MEASURE]
        for name in features[:_MOST_DRIFTED]:
            pair = {"this run": self._statistics["train"].get(name), "earlier": then.get(name)}
            figure = self._chart(name, pair) if None not in pair.values() else None
            if figure:
                yield figure

    def _missing_by(self, title: str, column: str) -> Shown:
        numbers, categories = feature_columns(self._study)
        features = [name for name in categories if name != column]
        examples = examples_at(self.run.output("TrialExampleGen", "examples"))
        found = read_columns(
            examples, self._splits, numbers, list(dict.fromkeys([*features, column]))
        )
        missing = {name: np.isnan(values) for name, values in found.numbers.items()}
        missing |= {name: found.categories[name].codes < 0 for name in features}
        missing = {titled(name, self._titles): lacking for name, lacking in missing.items()}
        group = found.categories[column]
        values = (*group.values, "")
        counted = missingness(missing, [values[code] for code in group.codes], self._smallest)
        return show(*missing_blocks(counted, title, self._smallest))


def _bar(item: Distance, limit: float, titles: Mapping[str, str]) -> Bar:
    title = titled(item.feature, titles)
    label = f"{title}: {'missing values' if item.measure == _MISSING_MEASURE else 'values'}"
    return Bar(label, Estimate(item.value), "bad" if item.exceeds(limit) else "neutral")


def _unknown(subjects: int, smallest: int) -> Value:
    """A number of subjects whose label is unknown, as far as it may be shown."""
    return Suppressed(smallest) if 0 < subjects < smallest else subjects


def _rounded(value: float | None) -> str:
    """Three significant digits; more only before the decimal point."""
    if value is None:
        return number(None)
    size = abs(value)
    return number(value, 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3)
