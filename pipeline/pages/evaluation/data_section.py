"""The data that the model was trained on, and the data gate's findings."""

from __future__ import annotations

from pipeline.html.blocks import Block, Cell, Column, Details, Notice, Table
from pipeline.html.numbers import Value, count
from pipeline.html.page import Section
from pipeline.html.palette import Tone
from pipeline.pages.evaluation.run_result import RunResult
from pipeline.pages.risks import risk_blocks
from pipeline.results.counts import LabelCounts
from pipeline.results.findings import Finding

_TONES: dict[str, Tone] = {"stop": "bad", "warn": "warn", "ok": "good", "ignore": "muted"}
_NO_SUBJECTS = LabelCounts(known=0, positives=0)


def data_section(result: RunResult) -> Section:
    """Subjects, rows and findings."""
    findings = result.findings.root
    notable = [finding for finding in findings if finding.severity in ("stop", "warn")]
    others = [finding for finding in findings if finding not in notable]
    blocks: list[Block] = [_gate(notable)]
    if others:
        plural = "" if len(others) == 1 else "s"
        summary = f"{count(len(others))} other measurement{plural}"
        blocks.append(Details(summary, (_findings(others),)))
    return Section("Data", (*blocks, _subjects(result), *_risks(result), _rows(result)))


def _gate(notable: list[Finding]) -> Block:
    if not notable:
        return Notice("good", "The data gate had no objections")
    return Notice(
        "warn",
        f"The data gate had {len(notable)} objection{'' if len(notable) == 1 else 's'}",
        items=[f"{finding.rule}: {finding.message}" for finding in notable],
    )


def _findings(findings: list[Finding]) -> Table:
    return Table(
        "Measurements of the data gate",
        (Column("Rule"), Column("Severity"), Column("Finding")),
        [
            (
                finding.rule,
                Cell(finding.severity, _TONES.get(finding.severity, "neutral")),
                finding.message,
            )
            for finding in findings
        ],
    )


def _subjects(result: RunResult) -> Table:
    plan = result.metrics.evaluation
    splits = [split for split in plan.splits if split in result.counts.subjects]
    rows: list[tuple[Value, ...]] = [
        ("All subjects", *(result.counts.subjects[split] for split in splits)),
    ]
    for name, task in result.settings.tasks.items():
        of_task = result.counts.tasks.get(name, {})
        found = [of_task.get(split, _NO_SUBJECTS) for split in splits]
        rows.append((f"{task.title}: known", *(item.known for item in found)))
        rows.append((f"{task.title}: with outcome", *(item.positives for item in found)))
    if plan.out_of_fold:
        return Table("Subjects", (Column("Subjects"), Column("Number", "end")), rows)
    return Table(
        "Subjects by split",
        (Column("Subjects"), *(Column(split, "end") for split in splits)),
        rows,
        ("train fits the model, eval stops training and calibrates, test is this page's.",),
    )


def _risks(result: RunResult) -> list[Block]:
    """Risks of tasks whose follow-up may end before the horizon."""
    titles = {name: task.title for name, task in result.settings.tasks.items()}
    return risk_blocks(
        result.counts.censoring, titles, result.verdict.risks, result.metrics.smallest_group
    )


def _rows(result: RunResult) -> Table:
    return Table(
        "Rows by dataset",
        (
            Column("Dataset"),
            Column("Read", "end"),
            Column("Used", "end"),
            Column("Excluded by the study file", "end"),
            Column("Rejected", "end"),
        ),
        [
            (name, rows.rows_in, rows.used, rows.excluded, rows.rejected)
            for name, rows in result.counts.datasets.items()
        ],
        ("Rows are rejected where a value in them is impossible.",),
    )
