"""Model quality on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grafana.page.study_store import StudyStore, estimate, places
from grafana.page.validation_section import between_groups
from grafana.queries import model_quality as queries
from grafana.queries import variables
from grafana.queries.query import Query, Row
from pipeline.estimates import Estimate
from pipeline.html import charts
from pipeline.html.blocks import Block, Cell, Column, Details, Grid, Notice, Paragraph, Table
from pipeline.html.numbers import MISSING, Suppressed, Value
from pipeline.html.page import Section
from pipeline.html.palette import Tone
from pipeline.metrics import METRICS
from pipeline.results.curve_points import CalibrationBin
from pipeline.results.group_order import rising
from pipeline.results.referral import ReferralPoint

_TONES: dict[str, Tone] = {
    "blessed": "good",
    "blessed for some tasks": "warn",
    "refused": "bad",
    "not judged": "warn",
    "": "muted",
}
_AGREEMENT: dict[str, Tone] = {"passes": "good", "fails": "warn", "not judged": "muted"}
_CHALLENGER = "challenger"
_CHAMPION = "champion"
_BY_GROUP = {"metric": "auc", "decision": 0.0, "model": _CHALLENGER}
_MAIN = (("auc", queries.AUC), ("brier", queries.BRIER))
_MORE = (("pr_auc", queries.PR_AUC), ("calibration_slope", queries.SLOPE))
_NOT_RECORDED = (
    "Whether a group passes the study's thresholds was not recorded: the run is one of version "
    "0.1.0."
)
_MOST_IN_HISTORY = 30
_MOST_GROUPS = 24


@dataclass(frozen=True)
class _Newest:
    """The newest run that has evaluated a model.

    Attributes:
        run: Its id.
        smallest_group: Fewest subjects that a group is shown for.
        slicings: Slicings, single or pairs, by name, as people read them.
    """

    run: str
    smallest_group: int
    slicings: Mapping[str, str]

    @property
    def single(self) -> dict[str, str]:
        """Single slicings."""
        return {name: title for name, title in self.slicings.items() if ", " not in name}

    @property
    def combined(self) -> dict[str, str]:
        """Pairs of slicings."""
        return {name: title for name, title in self.slicings.items() if ", " in name}


def quality_section(store: StudyStore, smallest_group: int) -> Section:
    """A study's models.

    Args:
        store: The study.
        smallest_group: Fewest subjects that a group is shown for.
    """
    history = store.ask(queries.BLESSINGS)
    runs = store.values(variables.RUNS)
    if not runs or not history:
        return Section(
            "Model quality",
            (Notice("muted", "No model yet", "No run of this study has evaluated a model."),),
        )
    newest = _Newest(runs[0], smallest_group, store.titles(variables.SLICINGS))
    tasks = store.titles(variables.TASKS)
    blocks: list[Block] = [_verdict(history, newest.run), _overview(store, newest.run, history)]
    blocks += _references(store, newest.run)
    blocks += _risks(store, newest.run)
    blocks += between_groups(store, newest.run)
    blocks += _heat_maps(store, newest, list(tasks.values()))
    blocks.append(_history(history))
    return Section("Model quality", blocks, [_task(store, newest, *task) for task in tasks.items()])


def _verdict(history: Sequence[Row], run: str) -> Block:
    of_run = [row for row in history if row["run"] == run]
    verdict = of_run[0]["verdict"]
    reasons = [_reason(row) for row in of_run if row["reason"]]
    champion = "It became the champion." if of_run[0]["became_champion"] == "yes" else ""
    return Notice(
        _TONES[verdict],
        f"The newest model is {verdict}",
        champion,
        reasons,
    )


def _reason(row: Row) -> str:
    """A reason with its task, unless it begins with it."""
    task, reason = row["task"], row["reason"]
    return f"{task}: {reason}" if task and not reason.startswith(task) else str(reason)


def _overview(store: StudyStore, run: str, history: Sequence[Row]) -> Block:
    rows = store.ask(queries.OVERVIEW, run=run, model=_CHALLENGER)
    evaluation = next(row["evaluation"] for row in history if row["run"] == run)
    return Table(
        "How good is the newest model at each task?",
        (
            Column("Task"),
            Column("Verdict"),
            Column("Subjects", "end"),
            Column("With outcome", "end"),
            Column("AUC (95 % interval)", "end"),
            Column("PR AUC", "end"),
            Column("Brier", "end", 4),
            Column("Calibration slope", "end", 2),
            Column("Calibration error", "end", 1, percent=True),
        ),
        [
            (
                row["task"],
                Cell(row["verdict"] or MISSING, _TONES[row["verdict"]]),
                row["subjects"],
                row["positives"],
                Estimate(row["auc"], row["auc_lower"], row["auc_upper"]),
                row["pr_auc"],
                row["brier"],
                row["calibration_slope"],
                row["calibration_error"],
            )
            for row in rows
        ],
        (f"Subjects whose label is known. Evaluation: {evaluation}.",),
    )


def _references(store: StudyStore, run: str) -> list[Block]:
    rows = store.ask(queries.REFERENCES, run=run)
    if not rows:
        return []
    table = Table(
        "Does a simpler model predict as well?",
        (
            Column("Task"),
            Column("Model"),
            Column("AUC", "end"),
            Column("Brier", "end", 4),
            Column("This model's AUC minus theirs (95 % interval)", "end"),
        ),
        [
            (
                row["task"],
                row["model"],
                row["auc"],
                row["brier"],
                _difference_to(row),
            )
            for row in rows
        ],
        ("Paired by subject. Where the interval includes 0 no difference is shown.",),
    )
    return [table]


def _difference_to(row: Row) -> Estimate | None:
    if row["difference"] is None:
        return None
    return Estimate(row["difference"], row["difference_lower"], row["difference_upper"])


def _heat_maps(store: StudyStore, newest: _Newest, tasks: Sequence[str]) -> list[Block]:
    if len(tasks) < 2:
        return []
    found: dict[str, dict[str, float]] = {}
    for slicing, title in newest.single.items():
        rows = store.ask(
            queries.GROUPS_BY_TASK, run=newest.run, slicing=slicing, metric="auc", model=_CHALLENGER
        )
        for row in sorted(rows, key=lambda row: rising(row["group"])):
            if row["value"] is not None:
                found.setdefault(f"{title} {row['group']}", {})[row["task"]] = row["value"]
    if not found:
        return []
    groups = list(found)[:_MOST_GROUPS]
    return [
        charts.heat_map(
            groups,
            tasks,
            [[found[group].get(task) for task in tasks] for group in groups],
            charts.Measure("AUC", 2),
            "Where is it weak? AUC of each group that may be shown.",
        )
    ]


def _history(history: Sequence[Row]) -> Block:
    return Details(
        "Which models were blessed, and why not the others?",
        (
            Table(
                "Verdicts, newest first",
                (
                    Column("Started"),
                    Column("Run"),
                    Column("Verdict"),
                    Column("Became champion"),
                    Column("Evaluation"),
                    Column("Task"),
                    Column("Reason"),
                ),
                [
                    (
                        f"{row['started']:%Y-%m-%d %H:%M}",
                        row["run"],
                        Cell(row["verdict"], _TONES[row["verdict"]]),
                        row["became_champion"],
                        row["evaluation"],
                        row["task"] or MISSING,
                        row["reason"] or MISSING,
                    )
                    for row in history[:_MOST_IN_HISTORY]
                ],
                ("A line for each reason; times are UTC.",),
            ),
        ),
    )


def _task(store: StudyStore, newest: _Newest, task: str, title: str) -> Section:
    calibration = _calibration(store, newest.run, task)
    main = [_over_runs(store, name, query, task) for name, query in _MAIN]
    blocks: list[Block] = [Grid([Grid(main), *calibration, *_referral(store, newest.run, task)])]
    blocks += _groups(store, newest, task)
    more = [_over_runs(store, name, query, task) for name, query in _MORE]
    more += _difference(store, task)
    blocks.append(Details("Other metrics over runs, and the champion", (Grid(more),)))
    blocks += _pairs(store, newest, task)
    blocks += _gaps(store, newest.run, task)
    return Section(title, blocks)


def _over_runs(store: StudyStore, name: str, query: Query, task: str) -> Block:
    rows = store.ask(query, task=task)
    term = METRICS[name]
    lines = [charts.Line("challenger", [estimate(row, "challenger") for row in rows])]
    if any(row["champion"] is not None for row in rows):
        champions = [
            Estimate(row["champion"]) if row["champion"] is not None else None for row in rows
        ]
        lines.append(charts.Line("champion", champions))
    return charts.line_chart(
        lines,
        places([row["time"] for row in rows]),
        charts.Measure(term.title, term.decimals, term.percent),
        f"{term.title} over runs. {term.says}",
        _limit(rows[-1]["at least"], rows[-1]["at most"]) if rows else None,
    )


def _limit(at_least: float | None, at_most: float | None) -> charts.Limit | None:
    if at_least is not None:
        return charts.Limit(at_least, "at least")
    return charts.Limit(at_most, "at most") if at_most is not None else None


def _calibration(store: StudyStore, run: str, task: str) -> list[Block]:
    curves = []
    for model, name in ((_CHALLENGER, "challenger"), (_CHAMPION, "champion")):
        bins = [
            CalibrationBin(
                mean_prediction=row["predicted"],
                observed_rate=row["observed"],
                lower=row["lower"],
                upper=row["upper"],
                subjects=row["subjects"],
            )
            for row in store.ask(queries.CALIBRATION, run=run, task=task, model=model)
        ]
        if bins:
            curves.append(charts.CalibrationCurve(name, bins))
    if not curves:
        return []
    return [
        charts.calibration_curve(
            curves, "Do predicted risks come true? On the dotted line they do."
        )
    ]


def _referral(store: StudyStore, run: str, task: str) -> list[Block]:
    points = [
        ReferralPoint(
            referred=row["referred"],
            subjects=row["subjects"],
            widest=row["widest interval"],
            observed_rate=row["observed rate"],
            brier=row["the model"],
        )
        for row in store.ask(queries.REFERRAL, run=run, task=task)
    ]
    return [charts.referral_chart(points)] if points else []


def _groups(store: StudyStore, newest: _Newest, task: str) -> list[Block]:
    rows: list[charts.ForestRow | str] = []
    limit = None
    recorded = True
    for slicing, title in newest.single.items():
        found = store.ask(queries.SLICES, run=newest.run, task=task, slicing=slicing, **_BY_GROUP)
        if not found:
            continue
        rows.append(title)
        found.sort(key=lambda row: rising(row["group"]))
        rows += [forest_row(row, newest.smallest_group) for row in found]
        limits = (_limit(row["at_least"], row["at_most"]) for row in found)
        limit = limit or next(filter(None, limits), None)
        recorded &= all(row["verdict"] != "not recorded" for row in found)
    if not rows:
        return []
    overall = store.one(queries.LAST_AUC, task=task)
    return [
        charts.forest_plot(
            rows,
            charts.Measure("AUC"),
            "Does the model serve every group? AUC by group; the thin line is that of all subjects."
            + ("" if recorded else f" {_NOT_RECORDED}"),
            reference=overall["value"] if overall else None,
            limit=limit,
        )
    ]


def forest_row(row: Row, smallest_group: int) -> charts.ForestRow:
    """A row of `SLICES` in a forest plot, marked where the group fails a threshold."""
    return charts.ForestRow(
        row["group"],
        estimate(row),
        _subjects(row, smallest_group),
        "bad" if row["verdict"] == "fails" else "neutral",
    )


def _subjects(row: Row, smallest_group: int) -> int | Suppressed:
    if row["subjects"] is not None:
        return int(row["subjects"])
    return Suppressed(smallest_group if row["not_shown"] == "too small" else None)


def _pairs(store: StudyStore, newest: _Newest, task: str) -> list[Block]:
    rows: list[tuple[Value | Cell, ...]] = []
    for slicing, title in newest.combined.items():
        for row in store.ask(
            queries.SLICES, run=newest.run, task=task, slicing=slicing, **_BY_GROUP
        ):
            shown: Value | Cell = estimate(row)
            if row["verdict"] == "fails":
                shown = Cell(estimate(row), "bad")
            rows.append((title, row["group"], shown, _subjects(row, newest.smallest_group)))
    if not rows:
        return []
    columns = (
        Column("By"),
        Column("Group"),
        Column("AUC (95 % interval)", "end"),
        Column("Subjects", "end"),
    )
    return [Details("Pairs of slicings", (Table("AUC by group", columns, rows),))]


def _risks(store: StudyStore, run: str) -> list[Block]:
    """Mean predictions beside risks; nothing where all follow-up is complete."""
    rows = store.ask(queries.PREDICTED_RISKS, run=run)
    if not rows:
        return []
    return [
        Table(
            "Do predictions add up to the risk of each arm?",
            (
                Column("Task"),
                Column("Arm"),
                Column("Risk by the horizon (95 % interval)", "end", 1, percent=True),
                Column("Mean prediction", "end", 1, percent=True),
                Column("Agreement"),
            ),
            [
                (
                    row["task"],
                    row["arm"],
                    Suppressed()
                    if row["risk"] is None
                    else Estimate(row["risk"], row["risk_lower"], row["risk_upper"]),
                    row["mean_prediction"],
                    Cell(row["verdict"], _AGREEMENT[row["verdict"]]),
                )
                for row in rows
            ],
            (
                "Of tasks whose follow-up may end before the horizon. Numbers from which few "
                "censored subjects would follow are not shown.",
            ),
        )
    ]


def _gaps(store: StudyStore, run: str, task: str) -> list[Block]:
    rows = store.ask(queries.GAPS_OF_RUN, run=run, task=task, model=_CHALLENGER)
    if not rows:
        return []
    table = Table(
        "Largest differences of a rate between two groups",
        (
            Column("Rate"),
            Column("Decision threshold"),
            Column("By"),
            Column("Difference", "end", 1, percent=True),
            Column("Lowest in"),
            Column("Lowest", "end", 1, percent=True),
            Column("Highest in"),
            Column("Highest", "end", 1, percent=True),
        ),
        [
            (
                METRICS[row["metric"]].title,
                row["decision_threshold"],
                row["slicing"],
                row["gap"],
                row["lowest_group"],
                row["lowest"],
                row["highest_group"],
                row["highest"],
            )
            for row in rows
        ],
        ("Without regard to their intervals: small groups scatter.",),
    )
    return [Details("Which groups lie furthest apart?", (table,))]


def _difference(store: StudyStore, task: str) -> list[Block]:
    rows = store.ask(queries.DIFFERENCE, task=task, metric="auc", decision=0.0)
    if not rows:
        return [Paragraph("No champion has been evaluated beside a challenger yet.")]
    return [
        charts.line_chart(
            [
                charts.Line(
                    "challenger − champion",
                    [estimate(row, "challenger − champion") for row in rows],
                )
            ],
            places([row["time"] for row in rows]),
            charts.Measure("difference of AUC"),
            "Challenger minus champion on the same subjects. Where the band includes 0 no "
            "difference is shown.",
            charts.Limit(0.0, "no difference"),
        )
    ]
