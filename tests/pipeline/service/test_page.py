"""The page for people: a form of the champion's columns, and the prediction in words."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.service.app import create_app
from pipeline.service.follower import Follower
from pipeline.service.page.words import out_of_hundred, words_of
from pipeline.service.tokens import Tokens
from tests.contrasts import CONTRASTS
from tests.each import each
from tests.pipeline.service.hand_made import FEATURES, SUBJECT
from tests.pipeline.service.running import running

FILLED = {name: str(value) for name, value in SUBJECT.items()}


class Read(HTMLParser):
    """What a page has: its elements in their order, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._hidden = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._hidden = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._hidden = self._hidden and tag != "style"

    def handle_data(self, data: str) -> None:
        self.text += "" if self._hidden else " ".join(data.split()) + " "

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of the elements with a tag."""
        return [attributes for found, attributes in self.elements if found == tag]

    @property
    def fields(self) -> dict[str | None, dict[str, str | None]]:
        """Attributes of the fields of the form, by name."""
        return {field["name"]: field for field in [*self.all("input"), *self.all("select")]}


def sent(client: httpx.Client, **changes: str) -> Read:
    """The page after the form was sent."""
    return Read(client.post("/", data=FILLED | changes).text)


def test_the_form_has_a_field_with_label_and_hint_for_each_column(client: httpx.Client) -> None:
    page = Read(client.get("/").text)

    assert set(page.fields) == set(FEATURES)
    labelled = {label["for"] for label in page.all("label")}
    described = {element["id"] for element in page.all("div") if "id" in element}
    for field in each(page.fields.values()):
        assert field["id"] in labelled
        assert field["aria-describedby"] in described
    assert "Age (years) subjects, AGE; 18 to 120" in " ".join(page.text.split())


def test_no_field_has_a_value_before_a_person_enters_one(client: httpx.Client) -> None:
    page = Read(client.get("/").text)

    assert {field.get("value") or "" for field in page.fields.values()} == {""}
    assert all("selected" not in option for option in each(page.all("option")))


def test_categories_are_offered_but_for_those_that_few_subjects_had(client: httpx.Client) -> None:
    text = client.get("/").text

    # All arms may be shown: a choice. One subject alone had the sex X: not shown, so it is a text.
    assert "<option>Active</option>" in text
    assert '<option value="F">' in text
    assert "X</option>" not in text
    assert '"X"' not in text


def test_the_page_says_what_the_model_is_for_and_links_to_its_card(client: httpx.Client) -> None:
    page = Read(client.get("/").text)

    assert "Helps a stroke unit to plan follow-up." in page.text
    assert "Users: Physicians of the unit." in page.text
    assert "Not for Children." in page.text
    assert "One country." in page.text
    assert "/card" in {link.get("href") for link in page.all("a")}
    assert "The card" in client.get("/card").text


def test_a_risk_is_shown_in_words_and_icons_with_its_arm(client: httpx.Client) -> None:
    page = sent(client)

    assert "Assumes the arm Active" in page.text
    assert "Of 100 patients with these values, 34 are predicted to have the outcome." in page.text
    assert "with such a prediction, 29 to 39 of 100 had the outcome" in page.text
    assert "coverage of 90%: the model can't tell" in page.text
    circles = [str(circle["class"]) for circle in page.all("circle")]
    # Two tasks: 34 of death, 42 of relapse, which has no interval.
    assert [len(circles), *(circles[100:].count(name) for name in ("of", "not"))] == [200, 42, 58]
    assert circles[:100] == (["of"] * 29 + ["of between"] * 5 + ["not between"] * 5 + ["not"] * 61)
    death, relapse = (str(svg["aria-label"]) for svg in page.all("svg"))
    assert "34 of 100 icons are filled" in death
    assert "The interval is 29 to 39 of 100" in death
    assert "interval" not in relapse


def test_what_drives_it_is_listed_by_size(client: httpx.Client) -> None:
    assert "SEX raises it +0.50 arm raises it +0.30 BMI raises it +0.05" in " ".join(
        sent(client).text.split()
    )


def test_what_was_entered_stays_in_the_form(client: httpx.Client) -> None:
    page = sent(client)
    assert page.fields["AGE"]["value"] == "60"
    assert [option for option in page.all("option") if "selected" in option]


def test_an_unusual_patient_is_flagged(client: httpx.Client) -> None:
    assert (
        "Age (years): number beyond those of the training subjects" in sent(client, AGE="75").text
    )


def test_problems_are_reported_beside_their_fields(client: httpx.Client) -> None:
    answer = client.post("/", data=FILLED | {"AGE": "old", "arm": ""})
    page = Read(answer.text)

    assert answer.status_code == 422
    assert {name for name, field in page.fields.items() if field.get("aria-invalid")} == {
        "AGE",
        "arm",
    }
    ids = {attributes.get("id") for _, attributes in page.elements}
    targets = [str(link["href"])[1:] for link in page.all("a") if link.get("class") == "bad"]
    assert len(targets) == 2
    assert set(targets) <= ids
    assert page.all("circle") == []


def test_a_field_that_no_form_has_is_shown(client: httpx.Client) -> None:
    assert "HEIGHT: There is no such column" in sent(client, HEIGHT="180").text


@pytest.mark.parametrize("name", ["AGE", "SEX"])
def test_text_stays_text(client: httpx.Client, name: str) -> None:
    text = client.post("/", data=FILLED | {name: '"><script>alert(1)</script>'}).text
    assert "<script" not in text


def test_the_page_loads_nothing_and_is_not_kept(client: httpx.Client) -> None:
    answer = client.post("/", data=FILLED)

    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = Read(answer.text)
    assert not {"script", "img", "iframe"} & {tag for tag, _ in page.elements}
    assert page.all("form") == [{"method": "post", "action": "/", "autocomplete": "off"}]


def test_a_service_with_tokens_asks_for_one_in_the_form(follower: Follower) -> None:
    tokens = Tokens({hashlib.sha256(b"secret").hexdigest(): "predict"})
    with running(create_app(follower, tokens)) as client:
        assert "access token" in Read(client.get("/").text).fields

        refused = client.post("/", data=FILLED | {"access token": "wrong"})
        answered = client.post("/", data=FILLED | {"access token": "secret"})

    assert (refused.status_code, answered.status_code) == (401, 200)
    assert Read(refused.text).all("circle") == []
    for answer in (refused, answered):
        assert Read(answer.text).fields["access token"].get("value") is None


@pytest.mark.parametrize(
    ("probability", "words"),
    [(0.0, "fewer than 1"), (0.0049, "fewer than 1"), (0.0051, "1"), (0.5, "50"), (0.9949, "99")],
)
def test_a_probability_is_a_natural_frequency(probability: float, words: str) -> None:
    assert out_of_hundred(probability) == words


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        ([], "unlike those with and those without the outcome"),
        (["without_outcome"], ": without the outcome"),
        (["with_outcome"], ": with the outcome"),
    ],
)
def test_a_prediction_set_is_shown_in_words(levels: list[str], words: str) -> None:
    found: dict[str, Any] = {
        "title": "Death",
        "probability": 0.2,
        "interval": {"lower": 0.1, "upper": 0.3},
        "set": levels,
    }
    [task] = words_of({"predictions": {"death": found}}, 0.9)
    assert words in task.decision


@pytest.mark.slow
@pytest.mark.parametrize("width", [400, 1280])
def test_a_browser_shows_it_and_the_keyboard_is_enough(
    client: httpx.Client, browse: Callable[[Path, int], Any], tmp_path: Path, width: int
) -> None:
    blank = tmp_path / "blank.html"
    blank.write_text("<title>blank</title>")
    page = browse(blank, width).page
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(str(client.base_url))
    page.keyboard.press("Tab")  # Skip to the content
    for text in ("60", "30", "F"):
        page.keyboard.press("Tab")
        page.keyboard.type(text)
    page.keyboard.press("Tab")
    page.keyboard.type("Active")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("svg.icons")

    assert "34 are predicted" in page.inner_text("main")
    wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wider) <= 0
    assert complaints == []
    assert page.url == str(client.base_url) + "/"


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_the_form_beside_problems_and_in_an_answer(
    client: httpx.Client, browse: Callable[[Path, int], Any], tmp_path: Path, scheme: Any
) -> None:
    """WCAG 2.2, success criterion 1.4.3, level AA, as of the report."""
    wrong = FILLED | {"AGE": "old", "arm": "", "HEIGHT": "180"}
    shown = {
        "empty form": (client.get("/"), "Predict"),
        "problems": (client.post("/", data=wrong), "There is no prediction yet"),
        "answer": (client.post("/", data=FILLED), "Prediction"),
    }
    for name, (answer, text) in each(shown.items()):
        file = tmp_path / "page.html"
        file.write_text(answer.text, "utf-8")
        page = browse(file, 400).page
        page.emulate_media(color_scheme=scheme)
        found = page.evaluate(CONTRASTS)
        assert text in [item["text"] for item in found], name
        assert [item for item in found if item["ratio"] < item["least"]] == [], name
