"""How the analysis stands on a page."""

from __future__ import annotations

from pipeline.html.page import Page, render
from pipeline.pages.analysis import analysis_sections, main_effects
from pipeline.results.analysis import Analysis, DroppedCovariate
from tests.components.trial_analysis.test_document import document


def html_of(analysis: Analysis) -> str:
    return render(Page("A trial", "What it says.", analysis_sections(analysis)))


def test_hazard_ratios_have_a_forest_plot() -> None:
    assert "Forest plot of Hazard ratio with 95 % intervals" in html_of(document())


def test_a_number_that_is_not_shown_is_called_suppressed_since_it_may_be_large() -> None:
    found = document()
    first, *others = found.tasks[0].rates
    hidden = first.model_copy(update={"subjects": None, "events": None, "unknown": None})
    task = found.tasks[0].model_copy(update={"rates": (hidden, *others)})
    html = html_of(found.model_copy(update={"tasks": (task, *found.tasks[1:])}))
    assert ">suppressed<" in html
    assert f"&lt;{found.smallest_group}" not in html


def test_a_factor_over_all_subjects_comes_before_the_cells_of_a_factorial_trial() -> None:
    found = document()
    [effect] = found.tasks[0].effects
    cell = effect.model_copy(
        update={"comparison": effect.comparison.model_copy(update={"factor": "cell"})}
    )
    task = found.tasks[0].model_copy(update={"effects": (cell, effect)})
    assert main_effects(found, task) == [effect]


def test_covariate_that_a_difference_is_not_adjusted_for_is_named_with_the_reason() -> None:
    found = document()
    [effect] = found.tasks[0].effects
    dropped = (DroppedCovariate(name="TRTA", reason="repeats the group"),)
    unadjusted = effect.model_copy(
        update={"adjusted": effect.adjusted.model_copy(update={"dropped": dropped})}
    )
    task = found.tasks[0].model_copy(update={"effects": (unadjusted,)})

    html = html_of(found.model_copy(update={"tasks": (task, *found.tasks[1:])}))

    assert "TRTA can&#39;t be distinguished from the group" in html


def test_features_stand_by_their_titles_wherever_they_are_named() -> None:
    found = document()
    [effect] = found.tasks[0].effects
    dropped = (DroppedCovariate(name="AGE", reason="constant"),)
    unadjusted = effect.model_copy(
        update={"adjusted": effect.adjusted.model_copy(update={"dropped": dropped})}
    )
    task = found.tasks[0].model_copy(update={"effects": (unadjusted,)})
    changed = found.model_copy(update={"tasks": (task, *found.tasks[1:])})

    sections = analysis_sections(changed, {"AGE": "Age <years>"})
    html = render(Page("A trial", "What it says.", sections))

    assert "AGE" in html_of(changed)
    assert "AGE" not in html
    assert "Age &lt;years&gt;, mean (SD)" in html
    assert "Age &lt;years&gt; has one value only" in html
    assert "<years>" not in html
