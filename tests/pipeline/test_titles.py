"""Whether people read a title or a name."""

from __future__ import annotations

from pipeline.titles import distinct_titles


def test_behind_a_title_that_is_the_name_of_something_else_stands_its_own_name() -> None:
    """A title "death" of the task of relapses, beside a task `death` without a title."""
    found = distinct_titles(["death", "relapse"], {"relapse": "death"})
    assert found == {"relapse": "death [relapse]"}


def test_a_title_that_only_one_has_stands_alone() -> None:
    assert distinct_titles(["death", "age"], {"death": "Died"}) == {"death": "Died"}
