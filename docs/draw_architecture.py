"""Draws docs/architecture.svg from the graph: each artifact, who writes it and who reads it.

Run it after the graph has changed: `python -m docs.draw_architecture`. A test compares the
picture with the graph.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from pipeline.config import RunConfig
from pipeline.study.load import load_study
from pipeline.study.shipped import SCHEMAS
from pipeline.study.study import Study

FILE = Path(__file__).parent / "architecture.svg"

_INK, _MUTED, _RULE, _PAPER, _WRITES = "#1c2127", "#59626c", "#d3d8de", "#fdfdfc", "#0071b0"
_LEFT, _TOP, _COLUMN, _ROW, _MARGIN = 330, 150, 34, 22, 16


@dataclass(frozen=True)
class Artifact:
    """An artifact of a run.

    Attributes:
        writer: The stage that writes it.
        output: Its name among the stage's outputs.
        type: Its type.
        readers: The stages that read it.
    """

    writer: str
    output: str
    type: str
    readers: tuple[str, ...]


def read_graph() -> tuple[list[str], list[Artifact]]:
    """Reads stages and artifacts from the pipeline of the synthetic study.

    Returns:
        The stages in the order in which the local runner runs them, and the artifacts in the
        order of the stages that write them.
    """
    # TFX takes seconds to import.
    from pipeline.pipeline import create_pipeline
    from pipeline.runners.local.lanes import run_order

    study = load_study(SCHEMAS / "synthetic" / "study.yaml")
    by_id = {node.id: node for node in create_pipeline(_config(study)).components}
    downstream = {
        stage: [later.id for later in node.downstream_nodes] for stage, node in by_id.items()
    }
    nodes = [by_id[stage] for stage in run_order(downstream)]
    readers: dict[tuple[str, str], list[str]] = {}
    for node in nodes:
        for channel in node.inputs.values():
            key = (channel.producer_component_id, channel.output_key)
            readers.setdefault(key, []).append(node.id)
    found: dict[tuple[str, str], Artifact] = {}
    for node in nodes:
        for output, channel in sorted(node.outputs.items()):
            name = _without_task(output, tuple(study.tasks))
            found.setdefault(
                (node.id, name),
                Artifact(
                    node.id,
                    name,
                    channel.type_name.removeprefix("trial."),
                    tuple(dict.fromkeys(readers.get((node.id, output), ()))),
                ),
            )
    return [node.id for node in nodes], list(found.values())


def _without_task(output: str, tasks: Sequence[str]) -> str:
    """Outputs that exist once a task are shown as one."""
    return re.sub(rf"_({'|'.join(tasks)})$", "_<task>", output)


def _config(study: Study) -> RunConfig:
    return RunConfig(
        study=study,
        schema="",
        data_root="",
        fingerprint="",
        subject_key="",
        subject_key_id="",
        pipeline_name="trial-synthetic",
        pipeline_root="",
        metadata_path=None,
        serving_dir="serving",
        registry_root="",
        champion_token="",
        inherited_division="",
        look="",
        code_version="",
        dependency_lock="",
        seed=0,
        steps=0,
        tune=True,
        beam_args=(),
        run_id="",
        runner="local",
        started_by="",
        store="",
        data_modified=None,
    )


def draw(stages: Sequence[str], artifacts: Sequence[Artifact]) -> str:
    """Draws a table: a column a stage, a row an artifact.

    Args:
        stages: The stages in their order.
        artifacts: The artifacts in theirs.

    Returns:
        An SVG document.
    """
    width = _LEFT + _COLUMN * len(stages) + 110
    height = _TOP + _ROW * len(artifacts) + 3 * _MARGIN + 24
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" role="img">',
            "<title>Artifacts of a run, who writes each and who reads it</title>",
            f'<rect width="{width}" height="{height}" fill="{_PAPER}"/>',
            *_columns(stages, height),
            *(line for place, item in enumerate(artifacts) for line in _row(stages, place, item)),
            *_key(height),
            "</svg>\n",
        ]
    )


def _x(stages: Sequence[str], stage: str) -> float:
    return _LEFT + _COLUMN * (stages.index(stage) + 0.5)


def _columns(stages: Sequence[str], height: int) -> Iterator[str]:
    for stage in stages:
        x = _x(stages, stage)
        yield (
            f'<line x1="{x}" y1="{_TOP - 8}" x2="{x}" y2="{height - 3 * _MARGIN - 16}" '
            f'stroke="{_RULE}"/>'
        )
        yield (
            f'<text transform="translate({x + 3},{_TOP - 14}) rotate(-55)" fill="{_INK}">'
            f"{escape(stage)}</text>"
        )


def _row(stages: Sequence[str], place: int, item: Artifact) -> Iterator[str]:
    y = _TOP + _ROW * (place + 0.5)
    start = _x(stages, item.writer)
    ends = [start, *(_x(stages, reader) for reader in item.readers)]
    yield (
        f'<text x="{_MARGIN}" y="{y + 4}" fill="{_INK}">{escape(item.output)} '
        f'<tspan fill="{_MUTED}">{escape(item.type)}</tspan></text>'
    )
    yield (
        f'<line x1="{min(ends)}" y1="{y}" x2="{max(ends)}" y2="{y}" stroke="{_WRITES}" '
        'stroke-width="1.5"/>'
    )
    yield f'<rect x="{start - 6}" y="{y - 6}" width="12" height="12" fill="{_WRITES}"/>'
    for reader in item.readers:
        yield (
            f'<circle cx="{_x(stages, reader)}" cy="{y}" r="5" fill="{_PAPER}" '
            f'stroke="{_WRITES}" stroke-width="2"/>'
        )


def _key(height: int) -> Iterator[str]:
    y = height - _MARGIN - 8
    yield f'<rect x="{_MARGIN}" y="{y - 10}" width="12" height="12" fill="{_WRITES}"/>'
    yield f'<text x="{_MARGIN + 20}" y="{y}" fill="{_INK}">writes it</text>'
    yield (
        f'<circle cx="{_MARGIN + 106}" cy="{y - 4}" r="5" fill="{_PAPER}" stroke="{_WRITES}" '
        'stroke-width="2"/>'
    )
    yield (
        f'<text x="{_MARGIN + 118}" y="{y}" fill="{_INK}">reads it '
        f'<tspan fill="{_MUTED}">· columns in the order in which a local run takes them</tspan>'
        "</text>"
    )


def main() -> int:
    """Writes the picture."""
    FILE.write_text(draw(*read_graph()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
