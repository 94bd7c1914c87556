"""The results notebook's view of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from notebooks.opened_run import OpenedRun
from notebooks.results.arm_blocks import analysis_blocks, effect_blocks
from notebooks.results.arm_effects import THIRDS, arm_rates
from notebooks.results.attributions import (
    Attributions,
    Box,
    attribute,
    boxes,
    strongest_pairs,
)
from notebooks.results.error_analysis import (
    MISSING,
    PREDICTION,
    TaskErrors,
    missing_bands,
    prediction_bands,
    task_errors,
)
from notebooks.results.error_blocks import error_blocks
from notebooks.results.importance import Importance, permutation_importance
from notebooks.results.probability_blocks import probability_blocks
from notebooks.results.quartile_chart import quartile_chart
from notebooks.results.scored_subjects import ScoredSubjects, read_scored_subjects
from notebooks.shown import Shown, show, show_sections
from notebooks.study_runs import ComparedRun, root_of, runs_of_study
from pipeline.estimates import Estimate
from pipeline.html.blocks import Block, Cell, Column, Details, Notice, Paragraph, Table
from pipeline.html.charts import Bar, ForestRow, Measure, bar_chart, forest_plot
from pipeline.html.numbers import Value, count
from pipeline.html.page import Section
from pipeline.pages.between_groups import between_groups_blocks
from pipeline.pages.metrics import TONES, metric_title, task_verdicts_table
from pipeline.pages.reference_models import reference_table
from pipeline.results.documents import (
    Metrics,
    ModelRole,
    find_overall,
    find_records,
)
from pipeline.results.evaluation_plan import EvaluationPlan
from pipeline.results.scheme_words import basis_sentence, evaluated_subjects, scheme_notes
from pipeline.results.task_verdicts import WORDS
from pipeline.study.slicing_titles import slicing_titles
from pipeline.study.study import Study

IMPORTANCE_SUBJECTS = 4_000
REPEATS = 10
EXPLAINED_SUBJECTS = 500
PAIRED_SUBJECTS = 100
_SEED = 0
_MOST_RUNS = 12
_MOST_SOURCES = 15
_MOST_BOXED = 5
_MOST_PAIRS = 5
_SMALLEST_PAIR = 0.01
"""Log odds: a quarter of a percentage point at a probability of one half."""
_LOG_ODDS = Measure("contribution to the log odds", 2)
_COMPARED = ("auc", "brier", "calibration_slope", "expected_calibration_error")
_ROLES: tuple[ModelRole, ...] = ("challenger", "champion", "difference")


@dataclass(frozen=True)
class ResultsView:
    """The results of a run, a cell at a time.

    Attributes:
        run: The run.
    """

    run: OpenedRun

    def runs(self) -> Shown:
        """All runs of the study: status, outcome and AUC."""
        runs = self._runs[-_MOST_RUNS:]
        table = Table(
            "Runs of this study, the oldest first",
            [Column("Run"), Column("Status"), Column("Data"), Column("Decision"), Column("Model")],
            [self._run_row(item) for item in runs],
            [f"The latest {_MOST_RUNS} of {len(self._runs)}."]
            if len(self._runs) > _MOST_RUNS
            else [],
        )
        sections = []
        for task in self.run.metrics.tasks:
            rows = [
                ForestRow(self._run_label(item), found.estimate, found.subjects)
                for item in runs
                if item.metrics is not None
                and (found := find_overall(item.metrics.records, task, "auc"))
            ]
            caption = (
                "Runs that read other data or have another study file were judged on other "
                "subjects: their intervals say little about each other."
            )
            sections.append(
                Section(self._title(task), [forest_plot(rows, Measure("AUC"), caption)])
            )
        return Shown([table], sections)

    def decision(self) -> Shown:
        """Whether the model was blessed, and how it compares with the champion."""
        verdict, names = self.run.result.verdict, self.run.result.titles
        notice = Notice(
            TONES[verdict.decision],
            WORDS[verdict.decision].capitalize(),
            f"{count(verdict.compared)} comparisons with thresholds of the study.",
            [*verdict.reason_texts(names), *verdict.note_texts(names)],
        )
        metrics = self.run.metrics
        table = Table(
            "This model, the champion and their difference on the same subjects",
            [
                Column("Task"),
                Column("Metric"),
                Column("This model", "end"),
                Column("Champion", "end"),
                Column("Difference", "end"),
            ],
            [
                [
                    self._title(task),
                    metric_title(metric),
                    *(_role(metrics, task, metric, role) for role in _ROLES),
                ]
                for task in metrics.tasks
                for metric in _COMPARED
            ],
            [] if metrics.has_champion else ["There was no champion to compare with."],
        )
        titles = {task: self._title(task) for task in metrics.tasks}
        basis = (basis_sentence(self._plan), *scheme_notes(metrics, self.run.result.titles))
        references = reference_table(metrics, titles)
        return show(
            notice,
            *map(Paragraph, basis),
            task_verdicts_table(verdict, titles),
            table,
            *between_groups_blocks(metrics, titles),
            *([references] if references else []),
        )

    def probabilities(self) -> Shown:
        """Calibration, decision curves and stability of each task."""
        return show_sections(
            *(
                Section(self._title(task), list(probability_blocks(self.run.result, task)))
                for task in self.run.metrics.tasks
            )
        )

    def importance(self) -> Shown:
        """Importance of the sources for each task."""
        found = self._importance
        method = Paragraph(
            f"{count(len(self._sampled))} of {count(self._subjects.count)} {self._evaluated}, "
            f"{REPEATS} permutations of each source. The interval covers the choice of subjects "
            "and of permutations; of many intervals some do not hold the true value."
            + self._trained_on_them
        )
        sections = [
            Section(self._title(task), list(self._importance_blocks(found, task)))
            for task in self._subjects.tasks
        ]
        return Shown([method], sections)

    def attributions(self) -> Shown:
        """Contributions of values to predictions, as distributions over groups."""
        explained = self._explained
        if explained is None:
            return show(Paragraph("The model of this run was saved without contributions."))
        if len(explained.values) < self._smallest:
            return show(Paragraph("There are too few subjects to show a distribution."))
        method = Paragraph(
            f"Contributions of {count(len(explained.values))} {self._evaluated}, as the saved "
            "model gives them: Shapley values of the log odds against a subject with the mean of "
            "every number and the most frequent category of every characteristic. Groups have at "
            f"least {self._smallest} of these subjects; each quartile is the mean of the five "
            "values around it, and nothing is drawn beyond the quartiles." + self._trained_on_them
        )
        sections = [
            Section(self._title(task), list(self._attribution_blocks(explained, place)))
            for place, task in enumerate(self._subjects.tasks)
        ]
        return Shown([method], sections)

    def errors(self) -> Shown:
        """Log loss by group."""
        titles = slicing_titles(self._study)
        return show_sections(
            *(
                Section(self._title(task), list(error_blocks(self._errors(place), titles)))
                for place, task in enumerate(self._subjects.tasks)
            )
        )

    def arms(self) -> Shown:
        """Predicted and observed rates by arm, and the adjusted effects of the analysis."""
        if self._study.arm is None:
            return show(Paragraph("The study file names no arm."))
        rows: list[list[Value]] = []
        for place, task in enumerate(self._subjects.tasks):
            known = self._subjects.known[:, place]
            arms = np.asarray(self._subjects.arm)[known].tolist()
            for found in arm_rates(
                self._subjects.predictions[known, place],
                self._subjects.labels[known, place],
                arms,
                self._smallest,
                self._subjects.weights[known, place],
            ):
                rows.append(
                    [self._title(task), found.arm, found.subjects, found.observed, found.predicted]
                )
        table = Table(
            "Arms, predicted and observed",
            [
                Column("Task"),
                Column("Arm"),
                Column("Subjects", "end"),
                Column("Observed rate", "end", 1, percent=True),
                Column("Mean prediction", "end", 1, percent=True),
            ],
            rows,
        )
        return show(table, *analysis_blocks(self.run.file.output("TrialAnalysis", "analysis")))

    def effects(self) -> Shown:
        """Predicted differences between the arms, beside the observed ones."""
        arm = self._study.arm
        if arm is None:
            return show(Paragraph("The study file names no arm."))
        limits = ["The model predicts outcomes; it does not estimate effects: this is no evidence."]
        if self._study.landmark != "baseline":
            limits.append(
                "The landmark is after the start of treatment: values that the treatment "
                "has changed by then are kept, so its effect through them is excluded."
            )
        if self._plan.out_of_fold:
            limits.append("The saved model was trained on these subjects.")
        notice = Notice("warn", "Predicted differences are not effects", "", limits)
        sections = [
            Section(
                self._title(task), list(effect_blocks(self._subjects, place, arm, self._smallest))
            )
            for place, task in enumerate(self._subjects.tasks)
        ]
        return Shown([notice], sections)

    @property
    def _study(self) -> Study:
        return self.run.study

    @property
    def _smallest(self) -> int:
        return self._study.slicing.smallest_group

    def _title(self, task: str) -> str:
        return self._study.tasks[task].title

    @cached_property
    def _runs(self) -> tuple[ComparedRun, ...]:
        return runs_of_study(self.run.file.study, root_of(self.run.folder))

    @cached_property
    def _subjects(self) -> ScoredSubjects:
        return read_scored_subjects(
            self._study,
            self.run.output("TrialExampleGen", "examples"),
            self.run.output("Trainer", "model"),
            self.run.output("CrossFit", "predictions") if self._plan.out_of_fold else None,
        )

    @property
    def _plan(self) -> EvaluationPlan:
        return self.run.metrics.evaluation

    @property
    def _evaluated(self) -> str:
        return evaluated_subjects(self._plan)

    @property
    def _trained_on_them(self) -> str:
        """What to know of a saved model that was trained on the evaluated subjects."""
        if not self._plan.out_of_fold:
            return ""
        return (
            " The saved model was trained on these subjects: the numbers say what it uses, not "
            "how well it would predict new ones."
        )

    @cached_property
    def _sampled(self) -> NDArray[np.int64]:
        return self._subjects.sample(IMPORTANCE_SUBJECTS, _SEED)

    @cached_property
    def _importance(self) -> list[Importance]:
        subjects, sampled = self._subjects, self._sampled
        return permutation_importance(
            lambda origin: subjects.mixed(sampled[origin]),
            subjects.labels[sampled],
            subjects.weights[sampled],
            [source.name for source in subjects.sources],
            subjects.tasks,
            REPEATS,
            _SEED,
        )

    @cached_property
    def _explained_places(self) -> NDArray[np.int64]:
        return self._subjects.sample(EXPLAINED_SUBJECTS, _SEED)

    @cached_property
    def _explained(self) -> Attributions | None:
        mixed, places = self._subjects.mixed, self._explained_places
        features = mixed.model.contribution_features
        if not features:
            return None
        paired = places[:: -(-len(places) // PAIRED_SUBJECTS)]
        return attribute(
            mixed.model.contributions(mixed.of_subjects(places)),
            mixed.model.interactions(mixed.of_subjects(paired)),
            features,
            self._subjects.sources,
        )

    def _run_label(self, item: ComparedRun) -> str:
        return f"{item.file.run}{' (this run)' if item.file.run == self.run.file.run else ''}"

    def _run_row(self, item: ComparedRun) -> list[Value | Cell]:
        same = item.file.fingerprint == self.run.file.fingerprint
        at = f" at {item.file.failed_stage}" if item.file.failed_stage else ""
        decision: Value | Cell = item.unreadable
        if item.verdict:
            found = item.verdict.decision
            decision = Cell(WORDS[found], TONES[found])
        registered = item.registration is not None and item.registration.registered
        return [
            self._run_label(item),
            f"{item.file.status}{at}",
            "as this run" if same else "other",
            decision,
            "became champion" if registered else None,
        ]

    def _importance_blocks(self, found: Sequence[Importance], task: str) -> Iterator[Block]:
        ordered = sorted(
            (item for item in found if item.task == task), key=lambda item: -item.auc.value
        )
        if not ordered:
            yield Paragraph("All subjects have the same outcome.")
            return
        yield forest_plot(
            [ForestRow(item.source, item.auc.estimate) for item in ordered[:_MOST_SOURCES]],
            Measure("loss in AUC when shuffled", 3),
            reference=0.0,
        )
        table = Table(
            "All sources",
            [
                Column("Source"),
                Column("Loss in AUC", "end"),
                Column("Spread of a repeat", "end"),
                Column("Rise of Brier score", "end", 4),
                Column("Spread of a repeat", "end", 4),
            ],
            [
                [
                    item.source,
                    item.auc.estimate,
                    item.auc.spread,
                    item.brier.estimate,
                    item.brier.spread,
                ]
                for item in ordered
            ],
        )
        yield Details("All sources in numbers", (table, self._made_of()))

    def _made_of(self) -> Table:
        joint = [source for source in self._subjects.sources if len(source.columns) > 1]
        return Table(
            "Sources of several columns, shuffled together",
            [Column("Source"), Column("Columns")],
            [[source.name, ", ".join(source.columns)] for source in joint],
        )

    def _attribution_blocks(self, explained: Attributions, task: int) -> Iterator[Block]:
        values = explained.values[:, :, task]
        sizes = np.abs(values).mean(axis=0)
        order = np.argsort(-sizes)
        sources = self._subjects.sources
        yield bar_chart(
            [Bar(sources[i].name, Estimate(float(sizes[i]))) for i in order[:_MOST_SOURCES]],
            Measure("mean size of the contribution to the log odds", 2),
        )
        rows: list[Box | str] = []
        for i in order[:_MOST_BOXED]:
            column = sources[i].columns[0]
            found = sorted(
                boxes(values[:, i], self._levels(column), self._smallest),
                key=lambda box: THIRDS.index(box.group) if box.group in THIRDS else len(THIRDS),
            )
            if found:
                rows += [f"{sources[i].name}, by {column}", *found]
        if rows:
            yield quartile_chart(rows, _LOG_ODDS, "Right of the line: towards the outcome.")
        yield self._pairs_block(explained.pairs[:, :, task], sizes)

    def _pairs_block(self, pairs: NDArray[np.float64], sizes: NDArray[np.float64]) -> Block:
        names = [source.name for source in self._subjects.sources]
        found = strongest_pairs(pairs, _MOST_PAIRS, _SMALLEST_PAIR)
        if not found:
            return Paragraph("The model uses no two sources together: their effects add up.")
        return Table(
            "Sources that the model uses together",
            [
                Column("Sources"),
                Column("Mean size of what they do together, log odds", "end", 2),
                Column("Of each alone", "end"),
            ],
            [
                [
                    f"{names[one]} and {names[other]}",
                    float(pairs[one, other]),
                    f"{sizes[one]:.2f} and {sizes[other]:.2f}",
                ]
                for one, other in found
            ],
        )

    def _levels(self, column: str) -> list[str]:
        """Group of each explained subject by a column: its value, or its third of a number."""
        places, columns = self._explained_places, self._subjects.columns
        if column in columns.categories:
            category = columns.categories[column]
            return [(*category.values, "no value")[code] for code in category.codes[places]]
        numbers = columns.numbers[column][places].astype(np.float64)
        known = numbers[~np.isnan(numbers)]
        if not len(known):
            return ["no value"] * len(numbers)
        thirds = np.searchsorted(np.quantile(known, [1 / 3, 2 / 3]), numbers, side="right")
        names = THIRDS
        return [
            "no value" if np.isnan(value) else names[third]
            for value, third in zip(numbers, thirds, strict=True)
        ]

    def _errors(self, place: int) -> TaskErrors | None:
        subjects = self._subjects
        task, known = subjects.tasks[place], subjects.known[:, place]
        predicted = subjects.predictions[known, place]
        groupings = {
            name: np.asarray(values)[known].tolist() for name, values in subjects.slices.items()
        }
        groupings[PREDICTION] = prediction_bands(predicted, self._smallest)
        groupings[MISSING] = missing_bands(subjects.missing()[known])
        also_hidden = [item.group for item in self.run.metrics.suppressed if item.task == task]
        return task_errors(
            predicted,
            subjects.labels[known, place],
            groupings,
            self._study.slicing.pairs,
            self._smallest,
            also_hidden,
            subjects.weights[known, place],
            is_coarse=not known.all(),
        )


def _role(metrics: Metrics, task: str, metric: str, role: ModelRole) -> Value:
    found = [r for r in find_records(metrics.records, task, metric, role) if not r.slice]
    return found[0].estimate if found else None
