"""The boards as one HTML file, of a SQLite store made by hand."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from grafana.page.write_boards import write_boards
from pipeline.cli.main import main
from pipeline.errors import UserError
from pipeline.store import models
from pipeline.store.migrate import migrate
from pipeline.store.writer import export
from tests.html_reading import read_html
from tests.pipeline.store.earlier_stores import make_store_of_0_1_0
from tests.pipeline.store.hand_made_store import fill
from tests.pipeline.store.store_runs import FAILED, comparison, run_rows


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tmp_path_factory.mktemp("boards")


@pytest.fixture(scope="module")
def page(path: Any) -> Any:
    address = f"sqlite:///{path / 'store.sqlite'}"
    fill(address)
    write_boards(address, path / "boards.html")
    return read_html((path / "boards.html").read_text())


def section(page: Any, title: Any) -> Any:
    """The section under a heading."""
    heading = next(
        item for item in page.all() if re.match("h[2-6]", item.tag) and item.text == title
    )
    return heading.parent


def forest_of(file: Any) -> Any:
    """What the first forest plot of a page says."""
    said = [item.text for item in read_html(file.read_text()).all("title")]
    return next(text for text in said if text.startswith("Forest plot"))


@pytest.mark.parametrize("title", ["Model quality", "Trial progress", "Pipeline health"])
def test_the_page_has_the_views_of_the_boards(page: Any, title: Any) -> None:
    assert section(page, title).all("figure")


def test_the_model_in_service_is_shown_with_its_alarms_and_what_is_shown_elsewhere(
    page: Any,
) -> None:
    text = section(page, "In service").text

    assert "Fewer died than was predicted." in text
    assert re.search(r"Alarms that have fired \S 1\b", text)
    assert section(page, "In service").all("figure")
    assert "shown by Grafana alone" in text


def test_registered_models_are_shown_with_who_decided(page: Any) -> None:
    text = section(page, "Models").text

    assert "Which models are registered" in text
    assert "rolled back" in text
    assert "Grace (grace@ward)" in text
    assert "probabilities are too high" in text


def test_a_study_that_is_not_monitored_and_has_no_registered_model_says_so(path: Any) -> None:
    address = f"sqlite:///{path / 'unmonitored.sqlite'}"
    export(address, run_rows("r1"))
    write_boards(address, path / "unmonitored.html")

    page = read_html((path / "unmonitored.html").read_text())
    assert "have not been monitored yet" in section(page, "In service").text
    assert "no decision of the registry" in section(page, "Models").text


def test_what_needs_attention_comes_first(page: Any) -> None:
    text = page.one("main").text

    assert text.index("The last run failed") < text.index("Model quality")
    assert "hand: the last run failed in DataGate" in text
    assert "hand: AGE drifts: 0.2 (limit 0.1)" in text


def test_the_verdict_on_the_newest_model_has_its_reasons(page: Any) -> None:
    text = section(page, "Model quality").text

    assert "The newest model is refused" in text
    assert "death: too low" in text


def test_a_group_that_is_too_small_shows_no_number(path: Any) -> None:
    address = f"sqlite:///{path / 'small.sqlite'}"
    export(address, run_rows("r1"))
    write_boards(address, path / "small.html")

    forest = forest_of(path / "small.html")
    assert "M –, <10 subjects" in forest
    assert "U –, suppressed subjects" in forest


def test_a_group_that_the_judge_says_fails_is_marked_whether_it_shows_a_number_or_not(
    path: Any,
) -> None:
    address = f"sqlite:///{path / 'failing.sqlite'}"
    failed = [comparison(slice={"sex": sex}, **FAILED) for sex in ("F", "U")]
    export(address, run_rows("r1", comparisons=failed))
    write_boards(address, path / "failing.html")

    forest = forest_of(path / "failing.html")
    assert "F 0.820 (0.700 to 0.900), 30 subjects, fails" in forest
    assert "U –, suppressed subjects, fails" in forest


def test_a_store_of_0_1_0_has_a_page_that_says_what_was_not_recorded(path: Any) -> None:
    address = f"sqlite:///{path / 'earlier.sqlite'}"
    make_store_of_0_1_0(address)
    write_boards(address, path / "earlier.html")

    text = read_html((path / "earlier.html").read_text()).one("main").text
    assert "was not recorded: the run is one of version 0.1.0" in text
    assert "fails its threshold" not in text
    assert "fails" not in forest_of(path / "earlier.html")


def test_the_trial_is_summed_up(page: Any) -> None:
    text = section(page, "Trial progress").text

    assert "Subjects enrolled 40" in text
    assert "Completed, Placebo 60.0" in text


def test_a_study_without_a_summary_says_so(path: Any) -> None:
    address = f"sqlite:///{path / 'first.sqlite'}"
    export(address, run_rows("r1"))
    write_boards(address, path / "first.html")

    page = read_html((path / "first.html").read_text())
    assert "No summary yet" in section(page, "Trial progress").text


def test_a_run_that_failed_before_any_model_has_a_page(path: Any) -> None:
    address = f"sqlite:///{path / 'failed.sqlite'}"
    rows = run_rows("r1")
    export(address, {table: rows[table] for table in (models.Run, models.Outcome)})
    write_boards(address, path / "failed.html")

    page = read_html((path / "failed.html").read_text())
    assert "No model yet" in section(page, "Model quality").text


def test_a_line_that_stands_alone_is_named(page: Any) -> None:
    captions = [item.text for item in section(page, "Pipeline health").all("figcaption")]

    assert any("Do distributions drift?" in caption and "AGE" in caption for caption in captions)


def test_a_store_that_is_not_there_is_a_clear_error(path: Any) -> None:
    with pytest.raises(UserError, match="there is no store"):
        write_boards(f"sqlite:///{path / 'nothing.sqlite'}", path / "nothing.html")

    assert not (path / "nothing.sqlite").exists()


def test_a_store_without_a_run_is_a_clear_error(path: Any) -> None:
    address = f"sqlite:///{path / 'empty.sqlite'}"
    migrate(address)

    with pytest.raises(UserError, match="holds no run yet"):
        write_boards(address, path / "empty.html")


def test_a_file_that_is_no_store_is_a_clear_error(path: Any) -> None:
    sqlite3.connect(path / "other.sqlite").close()
    (path / "other.sqlite").write_text("something else, long enough to be no database at all")

    with pytest.raises(UserError):
        write_boards(f"sqlite:///{path / 'other.sqlite'}", path / "other.html")


def test_the_command_writes_below_the_root(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(f"sqlite:///{tmp_path / 'store.sqlite'}", run_rows("r1"))

    assert main(["boards", "--root", str(tmp_path)]) == 0
    assert str(tmp_path / "boards.html") in capsys.readouterr().out
    assert (tmp_path / "boards.html").exists()


def test_the_command_reports_a_mistake_without_a_traceback(
    path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["boards", "--root", str(path / "nowhere")]) == 2
    assert "there is no store" in capsys.readouterr().err


def test_external_validations_have_a_section_of_their_own(page: Any) -> None:
    text = section(page, "External validation").text
    assert "first/0123456789abcdef" in text
    assert "-0.080" in text or "−0.080" in text
    assert "net benefit over treating all" in text
    assert "sex: F" in text


def test_mean_predictions_stand_beside_the_risks_of_the_arms(page: Any) -> None:
    text = section(page, "Model quality").text
    assert "Do predictions add up to the risk of each arm?" in text
    assert "13.0 to 17.0" in text.replace("\N{NARROW NO-BREAK SPACE}%", "")


def test_the_spread_between_groups_is_beside_the_overview(page: Any) -> None:
    text = section(page, "Model quality").text
    assert "between groups that its models never saw" in text
    assert "0.550 to 0.900" in text
