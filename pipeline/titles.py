"""Names of the study file as people read them: a title, a title with its name, or the name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


def title_or_name(name: str, title: str | None) -> str:
    """What people read: the title, where the study file gives one.

    Args:
        name: A name of the study file: of a task, a slicing, a feature.
        title: Its title; None or empty without one.

    Examples:
        >>> title_or_name("lab_ALB", "Albumin (g/L)"), title_or_name("AGE", None)
        ('Albumin (g/L)', 'AGE')
    """
    return title or name


def titled(name: str, titles: Mapping[str, str]) -> str:
    """The same of one of several names.

    Args:
        name: A name of the study file.
        titles: Titles of those that have one, by name.

    Examples:
        >>> titled("lab_ALB", {"lab_ALB": "Albumin (g/L)"}), titled("AGE", {})
        ('Albumin (g/L)', 'AGE')
    """
    return title_or_name(name, titles.get(name))


@dataclass(frozen=True)
class Titles:
    """What people read in a text in place of names of the study file.

    Attributes:
        tasks: Titles of tasks by name.
        slicings: Titles of slicings by name.
    """

    tasks: Mapping[str, str] = field(default_factory=dict)
    slicings: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, tasks: Mapping[str, str], slicings: Mapping[str, str] | None = None) -> Titles:
        """The titles of a study; behind those that two tasks have stands the name.

        Args:
            tasks: Titles of all tasks by name.
            slicings: Titles of slicings by name, none of them twice.

        Examples:
            >>> Titles.of({"death": "Death", "dead_14": "Death"}).task("dead_14")
            'Death [dead_14]'
        """
        return cls(distinct_titles(tasks, tasks), slicings or {})

    def task(self, name: str) -> str:
        """A task as people read it."""
        return titled(name, self.tasks)

    def slicing(self, name: str) -> str:
        """A slicing as people read it."""
        return titled(name, self.slicings)


NAMES = Titles()
"""Every name as it is: for logs, and for what has no study at hand."""


def called(name: str, titles: Mapping[str, str]) -> str:
    """A feature or task in a message: its title, and in brackets its name in the study file.

    For messages after which people look the name up in the study file.

    Args:
        name: A name of the study file.
        titles: Titles of those that have one, by name.

    Examples:
        >>> called("lab_ALB", {"lab_ALB": "Albumin (g/L)"}), called("AGE", {})
        ('Albumin (g/L) [lab_ALB]', 'AGE')
    """
    title = titles.get(name)
    return f"{title} [{name}]" if title else name


def distinct_titles(names: Collection[str], titles: Mapping[str, str]) -> dict[str, str]:
    """Titles that distinguish what they name: behind one that is read twice stands the name.

    Args:
        names: All names of a kind, also those without a title.
        titles: Titles of those that have one, by name.

    Examples:
        >>> distinct_titles(["sex", "age", "band"], {"age": "Age (years)", "band": "Age (years)"})
        {'age': 'Age (years) [age]', 'band': 'Age (years) [band]'}
    """
    given = [name for name in names if titles.get(name)]
    times = Counter(titled(name, titles) for name in names)
    return {
        name: titles[name] if times[titles[name]] == 1 else called(name, titles) for name in given
    }
