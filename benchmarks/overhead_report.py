"""Runs of both sides of the overhead benchmark and their tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from benchmarks.report import markdown_table, quietness, spread

Side = Literal["trial", "plain"]


TITLES: dict[Side, str] = {"trial": "this project", "plain": "plain TFX"}


_SAME_STAGES = (
    ("CsvExampleGen", "TrialExampleGen"),
    ("StatisticsGen", "StatisticsGen"),
    ("SchemaGen", "CuratedSchema"),
    ("ExampleValidator", "ExampleValidator"),
    (None, "ChampionModel"),
    (None, "DataGate"),
    ("Transform", "Transform"),
    ("Trainer", "Trainer"),
    (None, "ReferenceModels"),
    (None, "CrossFit"),
    ("Evaluator", "TrialEvaluator"),
    (None, "BlessedModel"),
    ("Pusher", "Pusher"),
    (None, "ModelRegistrar"),
)
"""Stages of the plain pipeline and of this project that do the same work."""


@dataclass(frozen=True)
class SideRun:
    """One run of one side.

    Attributes:
        side: Whose.
        pair: Number of the pair, from 0.
        seconds: Wall time of the process.
        cpu_seconds: Processor time of the process.
        peak_memory_mb: Peak memory of the process tree, in MiB.
        peak_resident_mb: Its peak resident memory, in MiB.
        load_before: Load average of the machine before the start.
        stages: Wall seconds of each stage.
        auc: ROC AUC on the test split: value, lower, upper.
        failure: Why it did not finish.
    """

    side: Side
    pair: int
    seconds: float
    cpu_seconds: float
    peak_memory_mb: float
    peak_resident_mb: float
    load_before: float
    stages: dict[str, float]
    auc: dict[str, float]
    failure: str | None

    @property
    def outside_stages(self) -> float:
        """Seconds of imports, start-up and the end."""
        return self.seconds - sum(self.stages.values())


def report(rows: int, runs: Sequence[SideRun]) -> str:
    """Lays the runs of one number of rows out as Markdown.

    Args:
        rows: Number of rows.
        runs: All runs; those that failed are named and excluded from the figures.

    Returns:
        A table of the whole processes, one of the stages, and the failures.
    """
    good = [run for run in runs if run.failure is None]
    text = f"\n### {rows:,} rows\n\n{quietness(run.load_before for run in runs)}"
    text += "".join(
        f"Failed: {TITLES[run.side]}, pair {run.pair + 1}: {run.failure}\n\n"
        for run in runs
        if run.failure
    )
    pairs = pairs_of(good)
    if not pairs:
        return text
    text += f"Minimum / median / maximum over {len(pairs)} pairs.\n\n" if len(pairs) > 1 else ""
    return text + _whole_table(pairs) + "\n" + _stage_table(pairs)


Pair = tuple[SideRun, SideRun]


def pairs_of(runs: Iterable[SideRun]) -> list[Pair]:
    """Runs of both sides by pair: (this project, plain)."""
    found: dict[int, dict[Side, SideRun]] = {}
    for run in runs:
        found.setdefault(run.pair, {})[run.side] = run
    return [(pair["trial"], pair["plain"]) for pair in found.values() if len(pair) == 2]


def _whole_table(pairs: Sequence[Pair]) -> str:
    measures: tuple[tuple[str, Callable[[SideRun], float], int], ...] = (
        ("wall, s", lambda run: run.seconds, 1),
        ("wall less stages, which overlap, s", lambda run: run.outside_stages, 1),
        ("processor, s", lambda run: run.cpu_seconds, 1),
        ("peak memory (proportional), MiB", lambda run: run.peak_memory_mb, 0),
        ("peak memory (resident), MiB", lambda run: run.peak_resident_mb, 0),
    )
    rows: list[tuple[str, ...]] = [
        (
            title,
            spread([of(plain) for _, plain in pairs], digits),
            spread([of(trial) for trial, _ in pairs], digits),
            spread([of(trial) / of(plain) for trial, plain in pairs]),
        )
        for title, of, digits in measures
    ]
    trial, plain = pairs[0]
    rows.append(("ROC AUC of the first pair", _interval(plain.auc), _interval(trial.auc), ""))
    return markdown_table(("whole process", "plain TFX", "this project", "ratio"), rows)


def _stage_table(pairs: Sequence[Pair]) -> str:
    rows = []
    for plain_stage, trial_stage in _SAME_STAGES:
        plain_seconds = [p.stages[plain_stage] for _, p in pairs if plain_stage in p.stages]
        trial_seconds = [t.stages[trial_stage] for t, _ in pairs if trial_stage in t.stages]
        same = plain_stage in (None, trial_stage)
        ratio = _ratio(trial_seconds, plain_seconds)
        rows.append(
            (
                trial_stage if same else f"{plain_stage} / {trial_stage}",
                f"{median(plain_seconds):.1f}" if plain_seconds else "",
                f"{median(trial_seconds):.1f}" if trial_seconds else "",
                ratio,
            )
        )
    return markdown_table(("stage, median s", "plain TFX", "this project", "ratio"), rows)


def _ratio(numerators: Sequence[float], denominators: Sequence[float]) -> str:
    if not numerators or not denominators or not median(denominators):
        return ""
    return f"{median(numerators) / median(denominators):.2f}"


def _interval(auc: dict[str, float]) -> str:
    return f"{auc['value']:.3f} ({auc['lower']:.3f} to {auc['upper']:.3f})"
