"""Of a trial that still runs the service says that figures are pooled, or that they are not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline.runs.registry import Registry
from pipeline.service.about import about
from pipeline.service.app import create_app
from pipeline.service.follower import Follower
from pipeline.study.blinded import POOLED, UNBLINDED, blinded
from pipeline.study.load import parse_study
from tests.pipeline.service.hand_made import CONTENT, STUDY, register
from tests.pipeline.service.running import running


def test_page_and_metadata_of_an_unblinded_model_say_so(saved_model: Path, tmp_path: Path) -> None:
    register(tmp_path / "registry", saved_model, tmp_path, conduct="ongoing")
    title = f"The stroke trial. {UNBLINDED}"
    with running(create_app(Follower(Registry(str(tmp_path / "registry")), STUDY))) as client:
        v1 = client.get(f"/v1/models/{STUDY}/metadata").json()["metadata"]["about"]
        v2 = client.get(f"/v2/models/{STUDY}").json()["parameters"]["about"]
        document = client.get("/openapi.json").json()["info"]["title"]
        page = client.get("/").text
    assert (v1["title"], v2["title"], document) == (title, title, f"Predictions of {title}")
    assert f"<h1>{title}</h1>" in page
    assert f'<p class="banner" role="note">{UNBLINDED}</p>' in page


def test_a_blinded_model_says_that_figures_are_pooled(follower: Follower) -> None:
    champion = follower.served.champion
    assert champion
    study = blinded(parse_study(CONTENT | {"conduct": "ongoing"}, "study.yaml"), "study.yaml")
    assert about(replace(champion, study=study))["title"] == f"The stroke trial. {POOLED}"
    assert about(champion)["title"] == "The stroke trial"
