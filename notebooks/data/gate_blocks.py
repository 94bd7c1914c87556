"""Blocks on findings of the data gate and anomalies of TFDV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from notebooks.opened_run import OpenedRun
from pipeline.html.blocks import (
    Block,
    Cell,
    Column,
    Details,
    Notice,
    Table,
)
from pipeline.html.numbers import count
from pipeline.html.palette import Tone
from pipeline.results.findings import Finding
from pipeline.study.features import UNTITLED, feature_titles
from pipeline.titles import titled

_SEVERITIES: dict[str, tuple[str, Tone]] = {
    "stop": ("stops the run", "bad"),
    "warn": ("warning", "warn"),
    "ignore": ("ignored", "muted"),
    "ok": ("within its limit", "good"),
}


def finding_blocks(
    findings: Sequence[Finding], titles: Mapping[str, str] = UNTITLED
) -> list[Block]:
    """Findings of the gate, most serious first.

    Args:
        findings: The findings.
        titles: Titles of the tasks that have one, by name.
    """
    serious = ("stop", "warn")
    notable = [item for kind in serious for item in findings if item.severity == kind]
    quiet = [item for item in findings if item.severity not in serious]
    if notable:
        first: Block = Table(
            "Findings outside their limits",
            [Column("Severity"), Column("Rule"), Column("What was found")],
            [[_severity(item), item.rule, item.message] for item in notable],
        )
    else:
        first = Notice("good", "No finding of the data gate is outside its limit")
    measured = Table(
        "Findings within their limits",
        [
            Column("Rule"),
            Column("What"),
            Column("Measured", "end"),
            Column("Limit", "end"),
        ],
        [[item.rule, _subject(item, titles), item.value, item.limit] for item in quiet],
    )
    details = [Details(f"{count(len(quiet))} measurements within their limits", (measured,))]
    return [first, *(details if quiet else [])]


def read_anomalies(run: OpenedRun, split: str) -> Iterator[Finding]:
    """Anomalies of a split against the curated schema."""
    # TensorFlow Data Validation takes seconds to import.
    import tensorflow_data_validation as tfdv
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

    from components.data_gate.anomalies import anomaly_findings
    from notebooks.data.feature_statistics import STATISTICS_FILE

    folder = run.output("ExampleValidator", "anomalies")
    statistics = run.output("StatisticsGen", "statistics")
    schema = Path(run.output("CuratedSchema", "schema")) / "schema.pbtxt"
    content = (Path(folder) / f"Split-{split}" / "SchemaDiff.pb").read_bytes()
    return anomaly_findings(
        anomalies_pb2.Anomalies.FromString(content),
        tfdv.load_stats_binary(f"{statistics}/Split-{split}/{STATISTICS_FILE}"),
        text_format.Parse(schema.read_text("utf-8"), schema_pb2.Schema()),
        split,
        run.study.gate.anomalies,
        titles=feature_titles(run.study),
    )


def _severity(item: Finding) -> Cell:
    text, tone = _SEVERITIES[item.severity]
    return Cell(text, tone)


def _subject(item: Finding, titles: Mapping[str, str]) -> str:
    parts = (item.about, titled(item.task or "", titles), item.split, item.dataset)
    return ", ".join(part for part in parts if part)
