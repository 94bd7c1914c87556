"""What procedures chose where hyperparameters are tuned out of fold: `tuning.json`."""

from __future__ import annotations

from pydantic import AliasChoices, Field

from pipeline.documents import Count, Document, parse_document
from pipeline.storage import read

TUNING_FILE = "tuning.json"
"""File name in the output `predictions` of CrossFit; absent unless it tuned."""


class TunedSet(Document):
    """A set of hyperparameters that the procedures could choose.

    Attributes:
        hyperparameters: Values of the hyperparameters that are searched, by name.
        procedures: Number of procedures that chose them.
    """

    hyperparameters: dict[str, int | float]
    procedures: Count


class Tuning(Document):
    """`tuning.json`; holds nothing about a subject.

    Attributes:
        sets: All sets that could be chosen; the first is what a run that does not tune takes.
    """

    # Before the release of 0.2.0 they were called candidates.
    sets: tuple[TunedSet, ...] = Field(validation_alias=AliasChoices("sets", "candidates"))

    @property
    def procedures(self) -> int:
        """Number of procedures: one a fold and repeat."""
        return sum(item.procedures for item in self.sets)

    @property
    def sentence(self) -> str:
        """Which share of the procedures chose what, for people.

        Examples:
            >>> untuned = TunedSet(hyperparameters={"depth": 2}, procedures=1)
            >>> flat = TunedSet(hyperparameters={"depth": 0}, procedures=4)
            >>> print(Tuning(sets=(untuned, flat)).sentence.split(": ")[1].split(". ")[0])
            80 % set 2 (depth 0); 20 % set 1, the untuned one
        """
        ranked = sorted(self.sets, key=lambda item: -item.procedures)
        shares = "; ".join(
            f"{100 * item.procedures / self.procedures:.0f} % "
            f"{self._words(item, item is ranked[0])}"
            for item in ranked
            if item.procedures
        )
        return (
            f"Each of the {self.procedures} procedures chose one of {len(self.sets)} sets of "
            "hyperparameters by the loss on inner parts of its own training subjects, never on "
            f"those that it predicts: {shares}. The final model chose in the same way."
        )

    def _words(self, item: TunedSet, most_chosen: bool) -> str:
        """Number of a set of hyperparameters; the values of the one that was chosen most."""
        number = self.sets.index(item) + 1
        name = "set 1, the untuned one" if number == 1 else f"set {number}"
        if not most_chosen:
            return name
        values = ", ".join(
            f"{name.replace('_', ' ')} {value:.3g}" for name, value in item.hyperparameters.items()
        )
        return f"{name} ({values})"


def read_tuning(folder: str) -> Tuning | None:
    """Reads `tuning.json`.

    Args:
        folder: Folder of CrossFit's output `predictions`, a local path or an address.

    Returns:
        The choices; None for a run that did not tune out of fold.

    Raises:
        UserError: The file is invalid.
    """
    path = f"{folder}/{TUNING_FILE}"
    text = read(path)
    if text is None:
        return None
    return parse_document(Tuning, text, path, "what CrossFit writes", "Run the pipeline again.")
