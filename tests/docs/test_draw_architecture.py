"""The picture of the architecture is that of the graph."""

from __future__ import annotations

from docs.draw_architecture import FILE, Artifact, draw, read_graph


def test_the_picture_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == draw(*read_graph()), (
        "Draw it again: python -m docs.draw_architecture"
    )


def test_it_names_every_artifact_with_its_writer_and_its_readers() -> None:
    stages, artifacts = read_graph()

    assert {item.writer for item in artifacts} == set(stages)
    (verdict,) = (item for item in artifacts if item.output == "verdict")
    assert verdict.writer == "TrialEvaluator"
    assert "MetricsExporter" in verdict.readers


def test_a_reader_is_a_ring_in_the_row_of_what_it_reads() -> None:
    alone = draw(["A", "B"], [Artifact("A", "x", "X", ())])
    read = draw(["A", "B"], [Artifact("A", "x", "X", ("B",))])

    assert read.count("<circle") == alone.count("<circle") + 1
